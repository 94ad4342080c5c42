import { memoryStore } from "../../lib/store/memory.ts";
import { fakeClock } from "../fakes/clock.ts";
import { storeCases } from "./store_cases.ts";

storeCases("memory", () => {
  const clock = fakeClock();
  const store = memoryStore(clock);
  return Promise.resolve({
    store,
    pass: (ms) => clock.advance(ms),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  });
});
