#!/usr/bin/env python3
"""Makes the base image of examples/django: this machine's Python, and the packages of requirements.txt from PyPI.

    django_image.py REQUIREMENTS PACKAGE-CACHE IMAGE-CACHE

Prints the path of the archive, which is kept in IMAGE-CACHE; packages are fetched into PACKAGE-CACHE (the tests of the
examples use the same). In the image: python and gunicorn in /usr/local/bin; PYTHONPATH has to be /usr/local/lib/packages.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile

LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", "test", "tests", "idlelib", "turtledemo", "tkinter", "ensurepip", "lib2to3", "config-*",
    "site-packages", "dist-packages",
)
GUNICORN = "#!/usr/local/bin/python\nfrom gunicorn.app.wsgiapp import run\nrun()\n"


def packages(requirements, cache):
    """The directory with the packages; fetched unless it is there."""
    with open(requirements, encoding="utf-8") as file:
        pinned = [re.sub(r"[^0-9A-Za-z.]", "-", word) for word in file.read().split()]
    target = os.path.join(cache, f"{sys.implementation.cache_tag}-{'-'.join(pinned)}")
    if not os.path.isdir(target):
        # Made aside: what is not complete must not be taken for it.
        aside = f"{target}.partial-{os.getpid()}"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", aside]
        subprocess.run([*pip, "--requirement", requirements], check=True, stdout=sys.stderr)
        os.rename(aside, target)
    return target


def needed_libraries(directory):
    """Path in the image and here of every shared library that a program or module below the directory asks for."""
    found = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            if not (name.endswith(".so") or ".so." in name or os.access(path, os.X_OK)):
                continue
            listing = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
            for library in re.findall(r"(/\S+) \(", listing):
                if library.startswith(directory):
                    continue
                # A Python of its own has its library beside it; in the image it is where the loader looks anyway.
                own = library.startswith(sys.base_prefix + "/") and sys.base_prefix != "/usr"
                target = "usr/lib/" + os.path.basename(library) if own else library.lstrip("/")
                found[target] = os.path.realpath(library)
    return found


def stage(root, requirements, cache):
    program = os.path.join(root, "usr/local/bin")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    library = os.path.join(root, "usr/local/lib", version)
    os.makedirs(program)
    shutil.copy(os.path.realpath(sys.executable), os.path.join(program, "python"))
    shutil.copytree(sysconfig.get_path("stdlib"), library, ignore=LEFT_OUT, symlinks=True)
    target = os.path.join(root, "usr/local/lib/packages")
    shutil.copytree(packages(requirements, cache), target, ignore=shutil.ignore_patterns("__pycache__", "bin"))
    gunicorn = os.path.join(program, "gunicorn")
    with open(gunicorn, "w", encoding="utf-8") as file:
        file.write(GUNICORN)
    os.chmod(gunicorn, 0o755)
    for target, source in needed_libraries(root).items():
        target = os.path.join(root, target)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(source, target)


def main():
    requirements, cache, images = sys.argv[1:]
    # This file decides about the content as well.
    content = hashlib.sha256()
    for path in (requirements, __file__):
        with open(path, "rb") as file:
            content.update(file.read())
    archive = os.path.join(images, f"django-{sys.implementation.cache_tag}-{content.hexdigest()[:12]}.tar")
    if not os.path.exists(archive):
        os.makedirs(images, exist_ok=True)
        with tempfile.TemporaryDirectory() as root:
            stage(root, requirements, cache)
            image = os.path.join(os.path.dirname(os.path.abspath(__file__)), "image.py")
            aside = f"{archive}.partial-{os.getpid()}"
            subprocess.run([sys.executable, image, aside, "localhost/python:1", f"/={root}"], check=True)
            os.rename(aside, archive)
    print(archive)


if __name__ == "__main__":
    main()
