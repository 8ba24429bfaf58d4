/** Devices that do what they should while others attack. */
export const healthyDevices = Array.from({ length: 20 }, (_, i) => `watch-${i}`);
/** Devices that have been stolen, or gone mad; their secrets are right. */
export const rogueDevices = ["rogue-drip", "rogue-topics", "rogue-flood-0", "rogue-flood-1", "rogue-pings"];
