"""Storage as S3 has it, by moto's server: everything is in its memory."""

from __future__ import annotations

import sys
from typing import Any
from uuid import uuid4

from tests.services.processes import Program, Reaper, free_port, listens, wait_until


class S3:
    """A server, and buckets of it."""

    def __init__(self, reaper: Reaper) -> None:
        self._port = free_port()
        folder = reaper.folder("s3")
        command = [sys.executable, "-c", "from moto.server import main; main()"]
        command += ["-H", "127.0.0.1", "-p", str(self._port)]
        self.server = Program("s3", command, reaper=reaper, folder=folder)
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self.server.start()
        wait_until(lambda: listens(self._port), "the storage listens", within=60)

    def bucket(self) -> dict[str, Any]:
        """A new one, as an entry of Django's STORAGES."""
        import boto3
        from botocore.config import Config

        patience = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})
        access = {
            "aws_access_key_id": "tests",
            "aws_secret_access_key": "tests",
            "region_name": "us-east-1",
            "endpoint_url": self.url,
        }
        name = f"uploads-{uuid4().hex}"
        boto3.client("s3", config=patience, **access).create_bucket(Bucket=name)
        options = {
            "bucket_name": name,
            "access_key": access["aws_access_key_id"],
            "secret_key": access["aws_secret_access_key"],
            "region_name": access["region_name"],
            "endpoint_url": self.url,
            "addressing_style": "path",
            "client_config": patience,
            "location": "below/this",
        }
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
