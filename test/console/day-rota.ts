const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/**
 * A rota of one shift a day that began half a day ago, at whatever hour a test runs: in the first hour and a half of a shift it is still the one before that
 * is handed over.
 */
export function dayRota() {
  const hour = Number(
    new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Stockholm", hour: "2-digit", hourCycle: "h23" }).format(),
  );
  const at = `${String((hour + 12) % 24).padStart(2, "0")}:00`;
  return {
    ...{ id: "syd", name: "Hemtjänst Gustavsberg", unit: "Gustavsberg" },
    shifts: [{ id: "all-day", name: "Dygn", days: [...days], from: at, to: at, responders: ["patrol-2"] }],
  };
}
