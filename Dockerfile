# syntax=docker/dockerfile:1
# Glibc, not Alpine: Temporal's native module needs it. Checked by test/house/compose.test.ts, not run.
FROM node:24.11.1-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# The Stripe double, a workspace, stays out: nothing in production imports it.
RUN npm ci --workspaces=false
COPY . .
RUN npm run build && npm prune --omit=dev --workspaces=false

FROM node:24.11.1-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
# Temporal Cloud is reached over TLS by the native module, which reads the system's certificates.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
STOPSIGNAL SIGTERM
EXPOSE 8080 8081
CMD ["node", "dist/server/main.js"]
