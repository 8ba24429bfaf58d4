/** No answer was had that says anything of the item: alerting is away, or lets this gateway not in. Every other item would fare the same. */
export class Away extends Error {
  override readonly name = "Away";
}
