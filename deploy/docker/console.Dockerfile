# edge-console. Build context: dist/, which has the package (npm run package). See README.md.
FROM debian:12-slim
COPY edgeplane_*.deb /tmp/
# redis-server is for `store: embedded` alone.
RUN apt-get update \
  && apt-get install -y --no-install-recommends /tmp/edgeplane_*.deb redis-server \
  && rm -rf /tmp/*.deb /var/lib/apt/lists/*
# Root within the container, with the capabilities that it is run with.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/edge-console"]
CMD ["--config", "/etc/edge/console.yaml"]
