/**
 * What a bucket's server gives to Amazon's client alone: `node connectors-bare-s3.ts` reads what connectors-server.ts
 * printed, fetches every object one after the other, then several at a time, and prints one line of JSON, objects/s.
 */
import { text } from "node:stream/consumers";
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";

export type BareResult = { oneAtATime: number; eightAtATime: number };

const { config, secrets } = JSON.parse(await text(process.stdin)) as {
  config: { bucket: string; endpoint: string };
  secrets: { accessKeyId: string; secretAccessKey: string };
};
const client = new S3Client({
  endpoint: config.endpoint,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: secrets,
});

const keys: string[] = [];
let continuation: string | undefined;
do {
  const page = await client.send(
    new ListObjectsV2Command({ Bucket: config.bucket, ContinuationToken: continuation, MaxKeys: 1000 }),
  );
  keys.push(...(page.Contents ?? []).map(({ Key }) => Key!));
  continuation = page.NextContinuationToken;
} while (continuation !== undefined);
const result: BareResult = { oneAtATime: await fetchAll(1), eightAtATime: await fetchAll(8) };
console.log(JSON.stringify(result));
process.exit(0);

async function fetchAll(lanes: number): Promise<number> {
  const startedAt = performance.now();
  let next = 0;
  const lane = async () => {
    for (let key = keys[next++]; key !== undefined; key = keys[next++]) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: config.bucket, Key: key }));
      await Body!.transformToByteArray();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return Math.round(keys.length / ((performance.now() - startedAt) / 1000));
}
