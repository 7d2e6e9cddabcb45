# docker build -t resnet50-encoder .
# docker run -p 52001:52001 -e OP_ENDPOINT=$LOCAL_ADDRESS:52001 resnet50-encoder

# Where npm ci and the build run, and where the libraries are taken from: Debian 12, or what is built like it.
ARG NODE_IMAGE=node:24-bookworm-slim
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# The npm that package.json asks for, whichever the base has: an older one runs install scripts that are not wanted here.
RUN npm exec --yes npm@11.16 -- ci --no-progress
COPY . .
# Which model: the published weights unless these flags name others, --weights URL or --model FILE below the folder models/.
ARG BUILD_FLAGS=--release
ARG COMMIT=unknown
RUN npm run build -- --out /resnet50-encoder --commit "${COMMIT:-unknown}" ${BUILD_FLAGS}

FROM ${BASE_IMAGE} AS libraries
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libgcc-s1 libstdc++6 libvulkan1
COPY build/gather-libraries.sh /
RUN sh /gather-libraries.sh /image

FROM scratch
ARG VERSION=0.1.0
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="resnet50-encoder" \
      org.opencontainers.image.description="Phantoscope's ResNet50 image-embedding operator" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT:-unknown}"
COPY --from=libraries /image /
COPY --from=build /resnet50-encoder /resnet50-encoder
# Phantoscope 0.2 starts operators with no environment at all and calls them on port 80. The runtime has certificates of its
# own; told to, it takes the system's as well, so that a host can mount others at /etc/ssl/certs/ca-certificates.crt.
ENV OP_ENDPOINT=127.0.0.1:80 NODE_USE_SYSTEM_CA=1
EXPOSE 80
USER 65532:65532
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/resnet50-encoder", "healthcheck"]
ENTRYPOINT ["/resnet50-encoder"]
