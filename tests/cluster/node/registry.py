#!/usr/bin/env python3
"""The node's image registry: every registry of the world, as far as the node can tell.

    registry.py add ARCHIVE DIRECTORY         unpacks an OCI archive into the directory
    registry.py serve ADDRESS:PORT DIRECTORY  serves what was added, read-only

containerd asks it for images of all registries (hosts.toml) and names the one it means in `?ns=`. An image
that was not added is not found, which is what a wrong name gives on a real cluster too.
"""

import http.server
import json
import os
import re
import sys
import tarfile
import urllib.parse

ROUTE = re.compile(r"/v2/(?P<repository>.+)/(?P<kind>manifests|blobs)/(?P<reference>[^/]+)")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def reference_file(directory, name):
    return os.path.join(directory, "references", urllib.parse.quote(name, safe=""))


def blob_file(directory, digest):
    return os.path.join(directory, "blobs", digest.replace(":", "/"))


def write(path, content):
    """The file appears at once and whole: the server may be reading, and another call writing."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    new = f"{path}.{os.getpid()}"
    with open(new, "wb") as file:
        file.write(content)
    os.replace(new, path)


def add(archive, directory):
    with tarfile.open(archive) as tar:
        for entry in tar:
            match = re.fullmatch(r"(?:\./)?blobs/sha256/([0-9a-f]{64})", entry.name)
            if match and entry.isfile():
                write(blob_file(directory, "sha256:" + match[1]), tar.extractfile(entry).read())
        index = json.load(tar.extractfile("index.json"))
    for manifest in index["manifests"]:
        name = manifest.get("annotations", {}).get("io.containerd.image.name")
        if name is None:
            sys.exit(f"{archive}: its index.json does not name an image (io.containerd.image.name)")
        write(reference_file(directory, name), manifest["digest"].encode())


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    directory = ""

    def find(self):
        """The blob a request is about, or nothing."""
        url = urllib.parse.urlsplit(self.path)
        route = ROUTE.fullmatch(url.path)
        if route is None:
            return None
        digest = route["reference"]
        if not DIGEST.fullmatch(digest):
            registry = urllib.parse.parse_qs(url.query).get("ns", ["docker.io"])[0]
            try:
                with open(reference_file(self.directory, f"{registry}/{route['repository']}:{digest}")) as file:
                    digest = file.read()
            except FileNotFoundError:
                return None
        try:
            with open(blob_file(self.directory, digest), "rb") as file:
                return route["kind"], digest, file.read()
        except FileNotFoundError:
            return None

    def answer(self, status, content, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_GET(self):
        if self.path.rstrip("/") == "/v2":
            self.answer(200, b"{}", {"Content-Type": "application/json"})
            return
        found = self.find()
        if found is None:
            body = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "not in the test cluster's registry"}]}
            self.answer(404, json.dumps(body).encode(), {"Content-Type": "application/json"})
            return
        kind, digest, content = found
        media_type = "application/octet-stream"
        if kind == "manifests":
            media_type = json.loads(content)["mediaType"]
        self.answer(200, content, {"Content-Type": media_type, "Docker-Content-Digest": digest})

    do_HEAD = do_GET


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("add", "serve"):
        sys.exit(__doc__)
    _, command, subject, directory = sys.argv
    if command == "add":
        add(subject, directory)
        return
    Handler.directory = directory
    address, port = subject.rsplit(":", 1)
    http.server.ThreadingHTTPServer((address, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
