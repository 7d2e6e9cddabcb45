# docker build -t resnet50-encoder .
# docker run -p 52001:52001 -e OP_ENDPOINT=$LOCAL_ADDRESS:52001 resnet50-encoder

ARG NODE_IMAGE=node:20-bookworm
ARG BASE_IMAGE=gcr.io/distroless/base-debian12

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
# Weights other than the default release's: --build-arg BUILD_FLAGS="--release --weights URL"
ARG BUILD_FLAGS=--release
RUN npm run build -- ${BUILD_FLAGS}

FROM ${BASE_IMAGE}
COPY --from=build /src/dist/resnet50-encoder /resnet50-encoder
# Phantoscope 0.2 starts operators with no environment at all and calls them on port 80.
ENV OP_ENDPOINT=127.0.0.1:80
EXPOSE 80
USER 65532:65532
HEALTHCHECK --start-period=5s CMD ["/resnet50-encoder", "healthcheck"]
ENTRYPOINT ["/resnet50-encoder"]
