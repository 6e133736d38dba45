"""The endpoints of `/v1/images`: reading, writing, and where an image is shown.

Those that take a picture are on a router of their own, whose bodies may be larger than those of the rest.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import JsonValue, TypeAdapter

from service import conditional, pages
from service.auth import CallerDep, Reader, Scope, Writer
from service.database import Session, SessionDep
from service.errors import NotFound, PreconditionFailed
from service.images import desk, lifecycle, uses
from service.images.models import CaptionRead, Image, ImageCreate, ImageFileForm, ImageForm, ImageRead, ImageReplace, UseRead
from service.images.patching import merged
from service.images.read import read_all, read_one
from service.images.uploads import FileDep, UploadDep
from service.published import answers, store
from service.published.models import Kind
from service.published.store import Filter
from service.routing import Route
