import { expect, it } from "vitest";
import { modeAccess, posixPrincipals, traverseBit, type NodeAccess } from "../posix/audience.ts";
import { createFolderAudiences } from "./folder-audiences.ts";

const open = modeAccess({ mode: 0o755, uid: 1, gid: 1 }, traverseBit);
const principals = posixPrincipals("file", "here");

it("asks of each folder once, and keeps those above the ones that a walk is at", async () => {
  const asked: string[] = [];
  const read = async (paths: readonly string[]) => {
    asked.push(...paths);
    return new Map(paths.map((path): [string, NodeAccess] => [path, open]));
  };
  const folders = createFolderAudiences(read, principals);
  for (let part = 0; part < 100; part += 1) {
    await folders.learn([`/srv/${part}`, `/srv/${part}/a`]);
    await folders.learn([`/srv/${part}/a`, `/srv/${part}/b/c`]);
    expect(folders.size()).toBe(6);
  }
  expect(asked.length).toBe(2 + 100 * 4);
  expect(new Set(asked).size).toBe(asked.length);
});

it("lets nobody through what says nothing, and to nothing below it", async () => {
  const read = async (paths: readonly string[]) =>
    new Map(paths.filter((path) => path !== "/srv/hr").map((path): [string, NodeAccess] => [path, open]));
  const folders = createFolderAudiences(read, principals);
  await folders.learn(["/srv/hr/2027", "/srv/it"]);
  expect(["/srv/hr", "/srv/hr/2027", "/srv/it", "/elsewhere"].map((folder) => folders.of(folder).others)).toEqual([
    false,
    false,
    true,
    false,
  ]);
});
