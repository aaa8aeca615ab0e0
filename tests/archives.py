"""Archives, sound and not."""

import io
import tarfile

from reportgen.data_files.fetching import Limits

LIMITS = Limits(members=20, member_bytes=1000, bytes=100_000)


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """Return a .tar.gz of the members."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def member(
    name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    """Return a member of an archive."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content)
    return info, content
