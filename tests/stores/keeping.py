"""Where stores of the past are kept, and how one is packed and unpacked.

An archive holds a folder for each database: the SQLite file or a dump of PostgreSQL, the pictures' files, the
manifest, folders that `copydesk export` of that version wrote, and exports of the consent log.
"""

import tarfile
from pathlib import Path

DATABASES = ("sqlite", "postgresql")
FILE = "copydesk.db"
DUMP = "dump.sql"
MEDIA = "media"
EXPORTS = "exports"
KEPT = Path(__file__).parent / "kept"


def names() -> list[str]:
    """Return the names of all kept stores: revisions from before the first release, then releases, by age."""
    return sorted((path.name.removesuffix(".tar.xz") for path in KEPT.glob("*.tar.xz")), key=_age)


def _age(name: str) -> tuple[bool, list[int]]:
    return "." in name, [int(part) for part in name.split(".")]


def pack(folder: Path, name: str) -> Path:
    """Pack the stores of a version; return the archive. The same files make the same archive."""
    KEPT.mkdir(exist_ok=True)
    archive = KEPT / f"{name}.tar.xz"
    with tarfile.open(archive, "w:xz", preset=9) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            packed.add(path, str(path.relative_to(folder)), filter=_bare)
    return archive


def unpack(name: str, database: str, folder: Path) -> Path:
    """Unpack one database's store of a version into the folder; return where it is."""
    with tarfile.open(KEPT / f"{name}.tar.xz") as packed:
        # Python before 3.11.4, which Debian 12 has, knows no filters.
        packed.extraction_filter = getattr(tarfile, "data_filter", None)
        packed.extractall(folder, [member for member in packed if member.name.startswith(f"{database}/")])
    (folder / database / MEDIA).mkdir(exist_ok=True)
    return folder / database


def _bare(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member
