import type { AlertingConfig } from "../../config.ts";
import type { Rotas } from "../../rota/duty-rota.ts";
import type { Store } from "../../store/store.ts";

interface Parts {
  config: Pick<AlertingConfig, "rotas" | "responders">;
  rotas: () => Pick<Rotas, "onDuty">;
  store: () => Pick<Store, "rota">;
}

const same = (a: string, b: string) => a.trim().toLowerCase() === b.trim().toLowerCase();

/**
 * Whether an account is signed on to a shift that runs now and is for that unit: it signed the shift's phone on from the console, or bears the name of
 * the patrol whose phone it is. Undefined where nobody can say: a look is not refused for that.
 */
export async function isOnShift(
  { config, rotas, store }: Parts,
  account: string,
  unit: string | null,
  now: number,
): Promise<boolean | undefined> {
  try {
    const stints = config.rotas
      .filter((rota) => rota.unit === undefined || rota.unit === unit)
      .flatMap(({ id }) => rotas().onDuty(id, now));
    if (stints.length === 0) return false;
    const names = new Map(config.responders.map(({ id, name }) => [id, name]));
    if (stints.some(({ responderId }) => same(names.get(responderId) ?? responderId, account))) return true;
    const signOns = await store().rota.signOns(Math.min(...stints.map(({ startsAt }) => startsAt)));
    return signOns.some(
      (row) =>
        row.kind === "signed-on" &&
        row.by !== null &&
        same(row.by, account) &&
        stints.some(
          ({ rotaId, responderId, startsAt }) =>
            rotaId === row.rotaId && responderId === row.responderId && startsAt === row.startsAt,
        ),
    );
  } catch {
    return undefined;
  }
}
