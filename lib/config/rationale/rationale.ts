import { bridgeRationale } from "./bridge.ts";
import { generalRationale } from "./general.ts";
import { idpRationale } from "./idp.ts";
import { operationsRationale } from "./operations.ts";
import { serverRationale } from "./server.ts";

/** Why each setting exists, by its key. Not part of the table, so that starting the program does not load it. */
export const rationale: Readonly<Record<string, string>> = {
  ...generalRationale,
  ...idpRationale,
  ...serverRationale,
  ...bridgeRationale,
  ...operationsRationale,
};
