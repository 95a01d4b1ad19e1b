# The image of forerun: one static binary on nothing.
#
#   docker build --tag forerun .
#
# Put your migrations on top of it:
#
#   FROM forerun
#   COPY migrations /src
#
# `scripts/package` makes the same image without a Docker engine and tries it out.
FROM --platform=$BUILDPLATFORM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends musl-tools && rm -rf /var/lib/apt/lists/*
RUN rustup target add x86_64-unknown-linux-musl
WORKDIR /forerun
COPY . .
RUN RUSTFLAGS="--remap-path-prefix=/forerun=. --remap-path-prefix=/usr/local/cargo=cargo" \
    cargo build --release --locked --target x86_64-unknown-linux-musl --package forerun

FROM scratch
COPY --from=build /forerun/target/x86_64-unknown-linux-musl/release/forerun /forerun
# No name for it is needed, and a Pod with runAsNonRoot can only check a number.
USER 65532:65532
ENTRYPOINT ["/forerun"]
