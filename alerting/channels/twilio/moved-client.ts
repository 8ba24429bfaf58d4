import twilio from "twilio";

type Client = InstanceType<typeof twilio.RequestClient>;
type ClientOptions = ConstructorParameters<typeof twilio.RequestClient>[0];

/** The SDK's own request client, sent to another address: a simulated network, a validating proxy. Paths stay as they are. */
export class MovedRequestClient extends twilio.RequestClient {
  readonly #baseUrl: string;

  constructor(baseUrl: string, options: ClientOptions) {
    super(options);
    this.#baseUrl = baseUrl;
  }

  override request: Client["request"] = (opts) => {
    const { pathname, search } = new URL(opts.uri);
    return super.request({ ...opts, uri: `${this.#baseUrl}${pathname}${search}` });
  };
}
