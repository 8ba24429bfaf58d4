/** Alerting read the item and will never take it: sending it again is of no use. */
export class RefusedItem extends Error {
  override readonly name = "RefusedItem";
}
