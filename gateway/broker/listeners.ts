import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from "node:tls";
import type { Logger } from "pino";
import { certificateUri, holderOf } from "../../firmware-contracts/certificate-name.ts";
import type { Clock } from "../../firmware-contracts/clock.ts";
import {
  type CertificateInForce,
  type CredentialFiles,
  openCredentialFiles,
} from "../../firmware-contracts/credential-files.ts";
import type { GatewayConfig } from "../config.ts";
import type { Counters } from "../counters.ts";
import type { Door, Place } from "./door.ts";

type TlsConfig = NonNullable<GatewayConfig["mqtt"]["tls"]>;

/** Connections that the kernel keeps until they are looked at, as when a whole building's power returns. */
const backlog = 4096;

/** A connection that stands at the broker's door; with TLS its handshake is done. */
export interface Arrival {
  socket: Socket;
  place: Place;
  /** The device that the client's certificate names, where one of our authority's was valid; what is no device's id where it is somebody else's; else null. */
  certificate: string | null;
}

export interface ListenersOptions {
  mqtt: GatewayConfig["mqtt"];
  handshakeSeconds: number;
  door: Door;
  clock: Clock;
  counters: Counters;
  log: Logger;
  onArrival(arrival: Arrival): void;
}

/** The broker's ports: plain, and with TLS where it is configured. Every connection is counted at the door before anything is spent on it. */
export interface Listeners {
  /** Rejects where a port cannot be had or a certificate not be read, with the mend. */
  start(): Promise<void>;
  /** Listens no more, and closes every connection. */
  stop(): void;
  readonly listening: boolean;
  readonly url: string;
  readonly tlsUrl: string | null;
  /** What is shown and trusted at the TLS port. */
  certificates(): CertificateInForce[];
}

export function createListeners(options: ListenersOptions): Listeners {
  const { mqtt, door, clock, counters, log, onArrival } = options;
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  let url = "";
  let tlsUrl: string | null = null;
  let files: CredentialFiles | null = null;

  function enter(socket: Socket): Place | null {
    // A connection may be gone before it is looked at.
    const place = socket.remoteAddress ? door.enter(socket.remoteAddress, () => socket.destroy()) : null;
    if (!place) {
      socket.on("error", () => {});
      socket.destroy();
      return null;
    }
    counters.add("connections.opened");
    sockets.add(socket);
    socket.on("close", () => {
      sockets.delete(socket);
      place.leave();
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    return place;
  }

  async function listen(server: Server, key: string, scheme: string, host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => {
        const isTaken = error.code === "EADDRINUSE";
        const mend = isTaken ? `another program listens there; set ${key}.port` : `see ${key}`;
        reject(new Error(`The MQTT broker cannot listen on ${host}:${port} (${error.code}): ${mend}.`));
      });
      server.listen({ host, port, backlog }, resolve);
    });
    servers.push(server);
    server.on("error", (error) => log.error({ error: error.message }, "a listening socket met an error"));
    const address = server.address();
    const bound = typeof address === "object" && address ? address.port : port;
    const shown = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
    return `${scheme}://${shown.includes(":") ? `[${shown}]` : shown}:${bound}`;
  }

  function plainServer(): Server {
    return createServer({ noDelay: true }, (socket) => {
      const place = enter(socket);
      if (place) onArrival({ socket, place, certificate: null });
    });
  }

  /** The TLS server gets its connections from a plain one, so that those that are turned away cost no handshake. */
  function tlsServer(tls: TlsConfig, files: CredentialFiles): Server {
    const asks = tls.clientCertificates !== "off";
    const minVersion = "TLSv1.2";
    const inside: TlsServer = createTlsServer({
      ...files.current,
      minVersion,
      requestCert: asks,
      rejectUnauthorized: tls.clientCertificates === "required",
      handshakeTimeout: options.handshakeSeconds * 1000,
    });
    files.onChange((renewed) => inside.setSecureContext({ ...renewed, minVersion }));
    /** Places by the address and port at the other end, which a TLS socket and the one under it share. */
    const places = new Map<string, Place>();
    const endOf = (socket: Socket) => `${socket.remoteAddress} ${socket.remotePort}`;
    inside.on("secureConnection", (socket: TLSSocket) => {
      const place = places.get(endOf(socket));
      if (!place) return void socket.destroy();
      onArrival({ socket, place, certificate: asks && socket.authorized ? deviceIn(socket) : null });
    });
    inside.on("tlsClientError", (_error, socket) => {
      counters.add("connections.cut.tls");
      socket.destroy();
    });
    return createServer({ noDelay: true, pauseOnConnect: false }, (socket) => {
      const place = enter(socket);
      if (!place) return;
      const end = endOf(socket);
      places.set(end, place);
      socket.on("close", () => {
        if (places.get(end) === place) places.delete(end);
      });
      inside.emit("connection", socket);
    });
  }

  return {
    get listening() {
      return servers.length > 0 && servers.every((server) => server.listening);
    },
    get url() {
      return url;
    },
    get tlsUrl() {
      return tlsUrl;
    },
    async start() {
      const { tls } = mqtt;
      try {
        if (tls) {
          const mend = "fallvakt init makes certificates";
          files = openCredentialFiles({ section: "gateway.mqtt.tls", paths: tls, mend, clock, log });
        }
        const secure = tls && files ? tlsServer(tls, files) : null;
        url = await listen(plainServer(), "gateway.mqtt", "mqtt", mqtt.host, mqtt.port);
        if (tls && secure) tlsUrl = await listen(secure, "gateway.mqtt.tls", "mqtts", tls.host, tls.port);
      } catch (error) {
        files?.stop();
        throw error;
      }
    },
    certificates: () => files?.certificates() ?? [],
    stop() {
      files?.stop();
      files = null;
      for (const server of servers.splice(0)) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** The device's id in a certificate that was found valid; of one that is a gateway's or nobody's, what is no id. */
function deviceIn(socket: TLSSocket): string {
  const holder = holderOf(socket.getPeerCertificate());
  if (!holder) return "";
  return holder.kind === "device" ? holder.id : certificateUri(holder);
}
