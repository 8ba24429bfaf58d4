import { createServer, type Server } from "node:https";
import Fastify, { type FastifyInstance } from "fastify";
import type { Logger } from "pino";
import type { Clock } from "../firmware-contracts/clock.ts";
import {
  type CertificateInForce,
  type CredentialFiles,
  type CredentialPaths,
  openCredentialFiles,
} from "../firmware-contracts/credential-files.ts";

const minVersion = "TLSv1.2";
/** Who has not finished the handshake by then is sent away, ms. */
const handshakeMs = 10_000;
/** Connections at one time; a gateway holds a few. */
const mostConnections = 2000;

export interface WebServerOptions {
  /** The section of the configuration that holds its certificate. */
  section: string;
  /** Left out: plain HTTP. */
  tls?: CredentialPaths | undefined;
  /** Lets in only who shows a certificate of the authority in `caFile`. Called with each that does not. */
  onRefused?: (code: string, address: string | undefined) => void;
  /** Addresses and networks of proxies that are believed when they say for whom, and by which host and scheme, they ask. Default: none is. */
  trustedProxies?: readonly string[];
  clock: Clock;
  log: Logger;
}

export interface WebServer {
  app: FastifyInstance;
  /** What it shows and trusts. */
  certificates(): CertificateInForce[];
  close(): Promise<void>;
}

/**
 * A web server that speaks HTTP or, with a certificate, HTTPS; a renewed certificate is taken up without a restart.
 * Throws, with the mend, where a certificate cannot be read.
 */
export function createWebServer(options: WebServerOptions): WebServer {
  const { section, tls, trustedProxies = [], clock, log } = options;
  const settings = {
    logger: false,
    forceCloseConnections: true,
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
  } as const;
  if (!tls) {
    const app = Fastify(settings);
    return { app, certificates: () => [], close: () => app.close() };
  }
  const mend = "fallvakt init makes certificates";
  const files = openCredentialFiles({ section, paths: tls, mend, clock, log });
  // For a name with two addresses Fastify makes two servers.
  const servers: Server[] = [];
  let { ca } = files.current;
  files.onChange((renewed) => {
    for (const server of servers) {
      server.setSecureContext({ ...renewed, minVersion });
      // Who came in by an authority that is trusted no more has to come again.
      if (renewed.ca !== ca) server.closeIdleConnections();
    }
    ca = renewed.ca;
  });
  const app = Fastify({
    ...settings,
    serverFactory(handler) {
      const server = secureServer(files, options.onRefused).on("request", handler);
      servers.push(server);
      return server;
    },
  });
  return {
    app,
    certificates: files.certificates,
    close() {
      files.stop();
      return app.close();
    },
  };
}

function secureServer(files: CredentialFiles, onRefused: WebServerOptions["onRefused"]): Server {
  const server = createServer({
    ...files.current,
    minVersion,
    requestCert: onRefused !== undefined,
    rejectUnauthorized: true,
    handshakeTimeout: handshakeMs,
  });
  server.maxConnections = mostConnections;
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    // A string where the other's certificate was not good, whatever the types say.
    const found: unknown = socket.authorizationError;
    onRefused?.(typeof found === "string" ? found : (error.code ?? "handshake"), socket.remoteAddress);
    socket.destroy();
  });
  return server;
}
