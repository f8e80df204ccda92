"""A kept snapshot as a WARC file (ISO 28500), the form in which web archives keep pages."""

from __future__ import annotations

import io

from ingest.library import Snapshot


def warc(snapshot: Snapshot, data: bytes, *, software: str, compressed: bool) -> bytes:
    """A warcinfo record and one resource record with the bytes.

    A resource record, since only the bytes are kept and not the headers of the HTTP response.

    Args:
        data: the bytes of the snapshot.
        software: name and version of the program, for the first record.
        compressed: each record by gzip, as in ``.warc.gz``.
    """
    from warcio.warcwriter import WARCWriter

    written = io.BytesIO()
    writer = WARCWriter(written, gzip=compressed)
    writer.write_record(
        writer.create_warcinfo_record(
            f"{snapshot.digest}.warc", {"software": software, "format": "WARC File Format 1.0"}
        )
    )
    writer.write_record(
        writer.create_warc_record(
            snapshot.url, "resource", payload=io.BytesIO(data), length=len(data),
            warc_content_type=snapshot.media_type or "application/octet-stream",
            warc_headers_dict={"WARC-Date": snapshot.fetched_at},
        )
    )  # fmt: skip
    return written.getvalue()
