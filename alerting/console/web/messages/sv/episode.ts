export const episode = {};
