"""The sample articles, in three languages and several states."""

from service.demo.chinese import CHINESE
from service.demo.english import ENGLISH
from service.demo.french import FRENCH

SAMPLES = (*ENGLISH, *FRENCH, *CHINESE)
