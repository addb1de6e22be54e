# Two images from one build: `miner`, the inference API (the default), and `subnet`, everything of aml-subnet.
#
#   docker build --target miner -t aml-miner:local .
#   docker build --target subnet -t aml-subnet:local .
FROM rust:1.95-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake clang libclang-dev python3-pip \
    && pip3 install --break-system-packages --no-cache-dir 'cmake>=3.28,<4' \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Cargo.toml Cargo.lock rust-toolchain.toml ./
COPY crates crates
ARG AML_GIT_COMMIT=unknown
ENV AML_GIT_COMMIT=$AML_GIT_COMMIT
# Two commands: in one, the neurons would link LightGBM. The first chooses features for both crates, so that the second
# finds all dependencies built.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --workspace --features redis \
        --bin aml-miner-serve --bin aml-miner-batch --bin aml-miner-train \
    && cargo build --release --locked -p aml-subnet --features redis \
    && install -D --target-directory /out target/release/aml-miner-serve target/release/aml-miner-batch \
        target/release/aml-miner-train target/release/aml-subnet

FROM debian:bookworm-slim AS base
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/aml aml
USER aml
WORKDIR /var/lib/aml

FROM base AS subnet
COPY --from=build /out/aml-subnet /usr/local/bin/
COPY config /etc/aml
# Mounted volumes take over the owner of these.
RUN mkdir --mode=700 /var/lib/aml/validator /var/lib/aml/spool /var/lib/aml/chain
# 8091 miner, 8092 its status, 8100 validator's read API, 9944 localnet.
EXPOSE 8091 8092 8100 9944
# No check of its own: what is healthy depends on the command (see docker-compose.yml).
ENTRYPOINT ["aml-subnet"]

FROM base AS miner
COPY --from=build /out/aml-miner-serve /out/aml-miner-batch /out/aml-miner-train /usr/local/bin/
COPY config /etc/aml
COPY trained_models /var/lib/aml/trained_models
RUN mkdir --mode=700 /var/lib/aml/keys
ENV API_HOST=0.0.0.0 API_PORT=8000 LOG_FORMAT=json MINER_SIGNING_KEY_FILE=/var/lib/aml/keys/receipt_signing.key
EXPOSE 8000
# Keys live here: mount a volume to keep them.
VOLUME /var/lib/aml/keys
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s CMD curl --fail --silent --output /dev/null http://127.0.0.1:8000/ready
ENTRYPOINT ["aml-miner-serve", "--config", "/etc/aml/miner-api.toml"]
