#!/usr/bin/env python3
"""Makes an OCI archive of one layer out of files of this machine, or of one more layer on top of another archive.

    image.py OUT.tar NAME:TAG [NAME:TAG ...] [options] PATH=FILE ... LINK->TARGET ...

A name has the form REGISTRY/REPOSITORY:TAG; in it, PATH is absolute in the image. A FILE that is a
directory is copied with everything below it. The archive is the same byte for byte when its input is.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import platform
import re
import subprocess
import tarfile

MEDIA_TYPE = "application/vnd.oci.image."
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
PASSWD = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
GROUP = b"root:x:0:\nnogroup:x:65534:\n"


class Layer:
    """A tar archive that creates the directories above each entry and keeps the first of equal paths."""

    def __init__(self):
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buffer, mode="w", format=tarfile.PAX_FORMAT)
        self.paths = set()

    def add(self, path, kind=tarfile.REGTYPE, mode=0o644, data=b"", target=""):
        path = path.strip("/")
        if not path or path in self.paths:
            return
        parent = os.path.dirname(path)
        if parent:
            self.add(parent, tarfile.DIRTYPE, 0o755)
        self.paths.add(path)
        entry = tarfile.TarInfo(path)
        entry.type, entry.mode, entry.linkname, entry.size = kind, mode, target, len(data)
        self.tar.addfile(entry, io.BytesIO(data))

    def add_host_path(self, path, source):
        if os.path.isdir(source):
            self.add(path, tarfile.DIRTYPE, 0o755)
            for name in sorted(os.listdir(source)):
                self.add_host_path(path.rstrip("/") + "/" + name, os.path.join(source, name))
        elif os.path.islink(source) and not os.path.exists(source):
            self.add(path, tarfile.SYMTYPE, 0o777, target=os.readlink(source))
        else:
            with open(source, "rb") as file:
                mode = 0o755 if os.access(source, os.X_OK) else 0o644
                self.add(path, mode=mode, data=file.read())

    def bytes(self):
        self.tar.close()
        return self.buffer.getvalue()


def shared_libraries(program):
    """The libraries and the loader a dynamically linked program needs, at the paths it looks for them."""
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return re.findall(r"(/\S+) \(", listing)


def digest(blob):
    return "sha256:" + hashlib.sha256(blob).hexdigest()


def descriptor(kind, blob, **more):
    return {"mediaType": MEDIA_TYPE + kind, "digest": digest(blob), "size": len(blob), **more}


def to_json(value):
    return json.dumps(value, sort_keys=True).encode()


def layers_of(archive):
    """The layers of an archive that this program made: their descriptors, digests and contents."""
    with tarfile.open(archive) as tar:

        def blob(wanted):
            return tar.extractfile("blobs/" + wanted["digest"].replace(":", "/")).read()

        manifest = json.loads(blob(json.load(tar.extractfile("index.json"))["manifests"][0]))
        diff_ids = json.loads(blob(manifest["config"]))["rootfs"]["diff_ids"]
        return manifest["layers"], diff_ids, [blob(layer) for layer in manifest["layers"]]


def write_archive(out, names, base, layer, config):
    descriptors, diff_ids, blobs = layers_of(base) if base else ([], [], [])
    compressed = gzip.compress(layer, 6, mtime=0)
    image = to_json({
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [*diff_ids, digest(layer)]},
        "config": config,
    })
    manifest = to_json({
        "schemaVersion": 2,
        "mediaType": MEDIA_TYPE + "manifest.v1+json",
        "config": descriptor("config.v1+json", image),
        "layers": [*descriptors, descriptor("layer.v1.tar+gzip", compressed)],
    })
    index = to_json({
        "schemaVersion": 2,
        "manifests": [
            descriptor("manifest.v1+json", manifest, annotations={"io.containerd.image.name": name}) for name in names
        ],
    })
    entries = [("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), ("index.json", index)]
    entries += [("blobs/" + digest(blob).replace(":", "/"), blob) for blob in (image, manifest, *blobs, compressed)]
    with tarfile.open(out, "w") as archive:
        for path, blob in entries:
            entry = tarfile.TarInfo(path)
            entry.size = len(blob)
            archive.addfile(entry, io.BytesIO(blob))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("out")
    parser.add_argument("rest", nargs="+", metavar="NAME:TAG | PATH=FILE | LINK->TARGET")
    parser.add_argument("--base", metavar="ARCHIVE", help="one that this program made; only its files are taken over")
    parser.add_argument("--entrypoint", type=json.loads, default=[], help="a JSON list")
    parser.add_argument("--command", type=json.loads, default=[], help="a JSON list")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--user", default="", help="UID or UID:GID")
    parser.add_argument("--directory", default="/", help="where its program starts")
    parser.add_argument("--libraries", action="store_true", help="add the shared libraries of the programs")
    options = parser.parse_intermixed_args()
    names = [item for item in options.rest if not item.startswith("/")]
    items = [item for item in options.rest if item.startswith("/")]
    for name in names:
        if not re.fullmatch(r"[a-z0-9.:-]+/[a-z0-9._/-]+:[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
            parser.error(f"{name}: an image is named REGISTRY/REPOSITORY:TAG, such as localhost/app:1")
    if not names:
        parser.error("no NAME:TAG")

    layer = Layer()
    if not options.base:
        for directory in ("dev", "etc", "proc", "sys"):
            layer.add(directory, tarfile.DIRTYPE, 0o755)
        layer.add("root", tarfile.DIRTYPE, 0o700)
        layer.add("tmp", tarfile.DIRTYPE, 0o1777)
    for item in items:
        if "->" in item:
            link, target = item.split("->", 1)
            layer.add(link, tarfile.SYMTYPE, 0o777, target=target)
        elif "=" in item:
            path, source = item.split("=", 1)
            layer.add_host_path(path, source)
            if options.libraries and os.path.isfile(source):
                for library in shared_libraries(source):
                    layer.add_host_path(library, os.path.realpath(library))
        else:
            parser.error(f"{item}: neither PATH=FILE nor LINK->TARGET")
    if not options.base:
        layer.add("etc/passwd", data=PASSWD)
        layer.add("etc/group", data=GROUP)
    write_archive(options.out, names, options.base, layer.bytes(), {
        "Entrypoint": options.entrypoint,
        "Cmd": options.command,
        "User": options.user,
        "WorkingDir": options.directory,
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *options.env],
    })


if __name__ == "__main__":
    main()
