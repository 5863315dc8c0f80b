// The main module of a pool's thread in a browser: what it begins with is its first message.
import type { ThreadStart, ToThread } from "./control.ts";
import { PoolThread } from "./thread.ts";

let thread: PoolThread | null = null;
addEventListener("message", (event: MessageEvent<ThreadStart | ToThread>) => {
  const { data } = event;
  if ("control" in data) thread = new PoolThread(data, (message) => postMessage(message));
  else thread?.receive(data);
});
