/** As somebody may write them, with digits behind them too: no Swedish number begins so. */
const emergency = /^(112|113|114|1177)/;
const emergencyAbroad = /^(\+|00)(46)?(112|113|11313|114|11414|1177)$/;

/** A phone number in international form, from how it is written in Sweden or abroad; else what is wrong with it. */
export function phoneOf(written: string): { phone: string } | { wrong: "emergency" | "wrong" } {
  const compact = written.replaceAll(/[\s()./-]/g, "");
  if (emergency.test(compact) || emergencyAbroad.test(compact)) return { wrong: "emergency" };
  const phone = compact.replace(/^00/, "+").replace(/^0(?=[1-9])/, "+46");
  return /^\+[1-9]\d{7,14}$/.test(phone) ? { phone } : { wrong: "wrong" };
}

/** A Swedish mobile in groups, so that it can be read out and compared; others as they are. */
export const shownPhone = (phone: string) => phone.replace(/^\+46(7\d)(\d{3})(\d{2})(\d{2})$/, "0$1-$2 $3 $4");
