"""Django REST framework, with its generic views and serializers of models."""

from django.core.wsgi import get_wsgi_application
from django.urls import path
from django.utils.dateparse import parse_datetime
from newsroom import CARD, WRITTEN, Article, found, made_of
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response


class Card(serializers.ModelSerializer):
    class Meta:
        model = Article
        fields = CARD
        read_only_fields = [name for name in CARD if name not in WRITTEN]


class Whole(Card):
    class Meta(Card.Meta):
        fields = [*CARD, "body"]


class Articles(generics.ListCreateAPIView):
    serializer_class = Whole

    def list(self, request: Request) -> Response:
        before = request.GET.get("published_before")
        articles = found(parse_datetime(before) if before else None, request.GET.get("q"))
        answer = {"items": Card(articles[:20], many=True).data}
        if request.GET.get("count") == "true":
            answer["count"] = articles.count()
        return Response(answer)

    def perform_create(self, serializer: Whole) -> None:
        sent = serializer.validated_data
        serializer.save(**made_of(sent["headline"], sent.get("body", [])))


class OneArticle(generics.RetrieveAPIView):
    queryset = Article.objects.filter(status="published").defer("text")
    serializer_class = Whole
    lookup_field = "slug"


urlpatterns = [path("articles", Articles.as_view()), path("articles/<str:slug>", OneArticle.as_view())]
application = get_wsgi_application()
