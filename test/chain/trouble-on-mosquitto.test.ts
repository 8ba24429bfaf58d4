import { tellOnMosquitto } from "../promises/on-mosquitto.ts";

// The stories of a gateway in trouble, beside promises-on-mosquitto.test.ts.
tellOnMosquitto(["acknowledged-fall-survives-a-kill", "full-disk-is-not-acknowledged", "gateway-lost-is-told-once"]);
