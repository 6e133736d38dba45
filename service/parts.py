"""Make the parts of an app, each by its type, and name the jobs that run beside the requests."""

from functools import partial

from prometheus_client import CollectorRegistry, Counter

from service import timekeeping, tracing
from service.articles import clock
from service.articles.creating import Creating
from service.articles.editing import Editing
from service.articles.indexing import Indexing
from service.background import Background, every
from service.bulk.repeated import Repeated
from service.consent.audit import upkeep
from service.consent.decisions.door import Door
from service.consent.decisions.ledger import Ledger
from service.consent.signing import Signer
from service.copies.gathering import Copies
from service.database import Database
from service.edge.cache import WireCache
from service.edge.connections import Connections
from service.ending import Ending
from service.formats.feeds.written import WrittenArticles
from service.formats.sitemaps.starts import Starts
from service.http import idempotency
from service.http.callers import TokenUses
from service.images import ahead
from service.images import clock as licences
from service.images.intake import Intake
from service.images.prints import Prints
from service.metrics import Figures
from service.mirror.checking import Checking
from service.mirror.following import Following
from service.mirror.pictures import FetchedPrints
from service.outbound.origin import Origin
from service.probing import Health
from service.published.backlog import Backlog
from service.published.counting import Counting
from service.published.forms import Forms
from service.published.reader import DatabaseReader, PostgresReader, SqliteReader
from service.published.replicas import Replicas, ReplicatedReader
from service.published.traced import TracedReader
from service.published.waiting import Waiting
from service.published.watch import PostgresWatch, SqliteWatch, Watch
from service.purging.purger import Purger
from service.queues import Queues
from service.recall.followers import FollowersWatched
from service.rooms import FORMS, open_database
from service.rows import RowReader, SessionRowReader
from service.services import Services
from service.settings import Settings
from service.sync import pruning
from service.sync.followers import Followers
from service.sync.spans import Spans
from service.webhooks import contracts, notices
from service.webhooks.trials import Trials
from service.webhooks.worker import Worker

UPKEEP_AFTER = 1.0
"""Seconds after the start until jobs look for what is old. The first requests wait for none of them."""
in_a_while = partial(every, after=UPKEEP_AFTER)


def make_services(settings: Settings) -> Services:
    """Make the parts of an app: all that its endpoints ask for, each by its type."""
    services = Services()
    services.add(Settings, settings)
    services.add(Forms, FORMS)
    database = services.add(Database, open_database(settings, serves=True))
    replicas = services.add(Replicas, Replicas(settings, database))
    primary, reader, watch = _readers_and_watch(settings, database, replicas)
    tracing.follow([database.engine, *replicas.engines])
    if tracing.is_on():
        primary, reader = TracedReader(primary), TracedReader(reader)
    services.add(DatabaseReader, reader)
    # From the primary alone: a replica may not know yet that a token was revoked.
    services.add(RowReader, primary)
    services.add(Watch, watch)
    waiting = services.add(Waiting, Waiting(reader, watch))
    services.add(Purger, Purger(database, primary, waiting))
    registry = services.add(CollectorRegistry, CollectorRegistry())
    services.add(Figures, Figures(registry))
    services.add(Queues, Queues(database))
    services.add(TokenUses, TokenUses(database))
    services.add(Copies, Copies(database))
    services.add(Creating, Creating(database))
    services.add(Editing, Editing(database))
    services.add(Repeated, Repeated())
    services.add(WrittenArticles, WrittenArticles(settings))
    services.add(Starts, Starts())
    services.add(Backlog, Backlog(database, _row_reader_of_jobs(services)))
    services.add(Trials, Trials())
    services.add(FollowersWatched, FollowersWatched(database))
    services.add(Ledger, Ledger(database, settings.signing_key))
    services.add(Door, Door(settings))
    intake = services.add(Intake, Intake(settings))
    if settings.mirror_of is None:
        services.add(Prints, Prints(intake, registry))
    else:
        origin = services.add(Origin, Origin(settings))
        services.add(Following, Following(database, origin, intake.store))
        services.add(Prints, FetchedPrints(intake, registry, database, origin))
    services.add(Background, Background(registry))
    ending = services.add(Ending, Ending(settings.shutdown_delay, waiting.close))
    services.add(Followers, Followers(settings))
    services.add(Spans, Spans(database))
    services.add(Connections, Connections(settings, ending))
    services.add(Health, Health(settings, reader, intake.store))
    return services


def add_jobs(services: Services) -> None:
    """Name the jobs that run beside the requests."""
    _add_jobs_of_readers(services)
    if services.get(Settings).mirror_of is None:
        _add_jobs_of_writers(services)
    else:
        _add_jobs_of_mirror(services)


def _add_jobs_of_readers(services: Services) -> None:
    background, database = services.get(Background), services.get(Database)
    background.add("deadlines", every(database.deadlines.step))
    background.add("connections", every(services.get(Connections).step))
    background.add("clock", every(partial(timekeeping.keep, database)))
    background.add("watch", every(services.get(Watch).step))
    if database.settings.database_read_url:
        background.add("replicas", every(services.get(Replicas).step))
    background.add("figures", every(services.get(Figures).step))
    background.add("waiting", every(services.get(Waiting).step))
    background.add("counting", in_a_while(Counting(database).step))
    background.add("spans", every(services.get(Spans).step))
    if database.settings.purge_kind != "off":
        purger, figures = services.get(Purger), services.get(Figures)
        background.add("purging", purger.run)
        figures.count("copydesk_purge_calls", "Calls to the cache in front", lambda: purger.calls)
        figures.count("copydesk_purge_failures", "Calls that it did not take", lambda: purger.failures)


def _add_jobs_of_mirror(services: Services) -> None:
    background, database = services.get(Background), services.get(Database)
    following = services.get(Following)
    background.add("following", following.run)
    background.add("comparing", Checking(database, following).run)
    if database.settings.mirror_pictures == "ahead":
        background.add("pictures ahead", every(ahead.Ahead(database, services.get(Prints), 0).step))


def _row_reader_of_jobs(services: Services) -> RowReader:
    """Return the reader of jobs that look for work twice a second. SQLite's reads in the event loop."""
    database = services.get(Database)
    return services.get(RowReader) if database.is_sqlite else SessionRowReader(database)


def _add_jobs_of_writers(services: Services) -> None:
    background, database = services.get(Background), services.get(Database)
    settings, reader = database.settings, _row_reader_of_jobs(services)
    signer = Signer(settings.signing_key)
    background.add("schedule", every(partial(clock.publish_on_time, database, reader)))
    background.add("licences", every(partial(licences.keep_time, database, reader)))
    background.add("rendering", every(services.get(Backlog).step))
    background.add("indexing", every(Indexing(database, reader).step))
    background.add("token uses", every(services.get(TokenUses).step))
    background.add("copies", every(services.get(Copies).step))
    background.add("followers", in_a_while(services.get(FollowersWatched).step))
    background.add("kept answers", in_a_while(partial(idempotency.forget_some, database)))
    background.add("tombstones", in_a_while(pruning.Pruning(database).step))
    background.add("consent log", every(partial(upkeep.seal, database, reader, signer)))
    background.add("consent retention", in_a_while(partial(upkeep.tidy, database)))
    if settings.is_sqlite:
        background.add("erased", in_a_while(partial(upkeep.empty_log, database)))
    background.add("notices", in_a_while(partial(notices.warn_of_ends, database)))
    background.add("contracts", in_a_while(partial(contracts.tell_ends, database)))
    if settings.webhook_concurrency:
        worker = Worker(database, settings.webhook_concurrency, reader=reader)
        background.add("webhooks", worker.run)
    if settings.picture_ahead:
        pictures = ahead.Ahead(database, services.get(Prints), ahead.newest(database))
        background.add("pictures ahead", every(pictures.step))


def _readers_and_watch(
    settings: Settings, database: Database, replicas: Replicas
) -> tuple[DatabaseReader, DatabaseReader, Watch]:
    """Return the reader of the primary, that of readers' rows, and what hears of changes."""
    if settings.is_sqlite:
        reader = SqliteReader(settings)
        return reader, reader, SqliteWatch(reader, database)
    watch, primary = PostgresWatch(database, replicas.latest), PostgresReader(settings, database.deadlines)
    replicas.follow(watch)
    return primary, ReplicatedReader(primary, replicas, watch) if replicas else primary, watch


def follow_figures(services: Services, cache: WireCache) -> None:
    """Name the figures that parts of the app keep for `/metrics`."""
    figures, backlog = services.get(Figures), services.get(Backlog)
    figures.count("copydesk_cache_hits", "Answers given from memory", lambda: cache.hits)
    figures.count("copydesk_cache_misses", "Answers that had to be made", lambda: cache.misses)
    figures.count("copydesk_cache_shared", "Answers that others had made", lambda: cache.flights.shared)
    figures.measure("copydesk_cache_bytes", "Memory that ready answers take", lambda: cache.entries.bytes)
    figures.measure("copydesk_cache_entries", "Ready answers", lambda: len(cache.entries))
    figures.measure("copydesk_large_answers", "Large pages in the making", lambda: cache.making.count)
    figures.measure(
        "copydesk_rendering_waiting",
        "Documents of an older rendering",
        lambda: backlog.waiting,
        of_store=True,
    )
    rendered = Counter(
        "copydesk_rendered_again",
        "Documents that were rendered again",
        ["outcome"],
        registry=figures.registry,
    )
    figures.follow(rendered.labels("same"), lambda: backlog.same)
    figures.follow(rendered.labels("changed"), lambda: backlog.changed)
    figures.follow(rendered.labels("failed"), lambda: len(backlog.failed))
    figures.measure(
        "copydesk_renditions_waiting",
        "Sizes of pictures that are being made or wait for it",
        lambda: services.get(Prints).waiting,
    )
    figures.measure(
        "copydesk_followers", "Who waits for a change of the feed", lambda: services.get(Waiting).count
    )
    watched = services.get(FollowersWatched)
    figures.measure(
        "copydesk_followers_behind",
        "Followers that have not received everything",
        lambda: watched.behind,
        of_store=True,
    )
    figures.measure(
        "copydesk_followers_stalled",
        "Followers for which something waits too long",
        lambda: watched.stalled,
        of_store=True,
    )
    figures.measure(
        "copydesk_followers_lag_seconds",
        "Seconds for which the oldest entry waits for a follower",
        lambda: watched.lag_seconds,
        of_store=True,
    )
    _follow_database(services, figures)


def _follow_database(services: Services, figures: Figures) -> None:
    """Name the figures of the database's connections."""
    database = services.get(Database)
    figures.measure(
        "copydesk_database_connections", "Connections to the database in use", lambda: database.in_use
    )
    reader, watch, health = services.get(DatabaseReader), services.get(Watch), services.get(Health)
    figures.measure(
        "copydesk_database_open",
        "Connections to the database that are open",
        lambda: database.connections + reader.connections + watch.connections + health.connections,
    )
    figures.measure(
        "copydesk_database_polling",
        "Processes that ask for changes, because no NOTIFY comes back",
        lambda: watch.polls,
    )
    replicas = services.get(Replicas)
    figures.count("copydesk_replica_reads", "Answers that came from a replica", lambda: replicas.reads)
    figures.count("copydesk_replica_misses", "Answers that a replica could not give", lambda: replicas.behind)
    figures.measure(
        "copydesk_replica_connections", "Connections to replicas that are open", lambda: replicas.connections
    )
    figures.measure("copydesk_replicas_away", "Replicas that do not answer", lambda: replicas.away)
    figures.measure(
        "copydesk_database_waiting", "Requests that wait for one of them", lambda: database.admission.waiting
    )
