# Drawbridge over HTTP. Build: docker build -t drawbridge . — run:
#   docker run --read-only --tmpfs /tmp -v drawbridge:/data -p 127.0.0.1:7331:7331 drawbridge
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build && npm pack --pack-destination /tmp && mkdir /app && tar -xzf /tmp/drawbridge-mcp-*.tgz -C /app --strip-components=1

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production DRAWBRIDGE_HOME=/data DRAWBRIDGE_HOST=0.0.0.0 DRAWBRIDGE_PORT=7331
RUN install -d -o node -g node -m 0700 /data
COPY --from=build --chown=root:root /app /app
USER node
VOLUME /data
EXPOSE 7331
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.DRAWBRIDGE_PORT + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/bin/drawbridge.mjs"]
CMD ["serve"]
