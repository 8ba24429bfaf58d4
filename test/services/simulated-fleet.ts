/** Somebody's word that puts a test's devices into operation at once, where the test is not about that. */
export const simulatedFleet = { inOperation: { by: "eva", reason: "simulated devices" } };
