import { setupServer } from "msw/node";

/** Answers the requests of a test. A request that no handler of the test expects fails it. */
export const server = setupServer();
