import * as client from "@kubernetes/client-node";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { Job } from "kubernetes-models/batch/v1/Job";
import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import { Node } from "kubernetes-models/v1/Node";
import { Pod } from "kubernetes-models/v1/Pod";
import { PodTemplateSpec } from "kubernetes-models/v1/PodTemplateSpec";
import { Service } from "kubernetes-models/v1/Service";
import { z } from "zod";

/**
 * What the API server would say against an object, as far as it can be told without one: Kubernetes' published OpenAPI
 * schemas (compiled in kubernetes-models), fields that no schema knows (the server drops them silently unless it is asked
 * to be strict; found by the field lists that the client was generated with), and rules that no schema tells.
 * @returns nothing when it is valid
 */
export function validateManifest(object: unknown): string[] {
  const { kind } = z.looseObject({ kind: z.string() }).parse(object);
  if (kind === "LeaderWorkerSet") return validateLeaderWorkerSet(object);
  const model = models[kind];
  if (!model) return [`no schema is known for ${kind}`];
  return [...checkSchema(model, object), ...findUnknownFields(object, `V1${kind}`, kind), ...checkRules(object)];
}

type Model = new (data?: never) => { validate(): void };
const models: Record<string, Model> = { ConfigMap, Deployment, Job, Node, Pod, Service };

/**
 * LeaderWorkerSet is not in Kubernetes' schemas: its fields by hand, from the published CRD
 * (github.com/kubernetes-sigs/lws, config/crd/bases, v1), and Kubernetes' own schema for its pod templates.
 */
const leaderWorkerSetSchema = z.strictObject({
  apiVersion: z.literal("leaderworkerset.x-k8s.io/v1"),
  kind: z.literal("LeaderWorkerSet"),
  metadata: z.looseObject({ name: z.string().max(63) }),
  spec: z.strictObject({
    replicas: z.int().min(0).optional(),
    leaderWorkerTemplate: z.strictObject({
      leaderTemplate: z.unknown(),
      workerTemplate: z.unknown(),
      size: z.int().min(1).optional(),
      restartPolicy: z.enum(["Default", "RecreateGroupOnPodRestart", "RecreateGroupAfterStart", "None"]).optional(),
      subGroupPolicy: z
        .strictObject({
          subGroupPolicyType: z.enum(["LeaderWorker", "LeaderExcluded"]).optional(),
          subGroupSize: z.int().min(1).optional(),
        })
        .optional(),
    }),
    rolloutStrategy: z
      .strictObject({
        type: z.literal("RollingUpdate"),
        rollingUpdateConfiguration: z
          .strictObject({
            partition: z.int().min(0).optional(),
            maxUnavailable: z.union([z.int(), z.string()]).optional(),
            maxSurge: z.union([z.int(), z.string()]).optional(),
          })
          .optional(),
      })
      .optional(),
    startupPolicy: z.enum(["LeaderCreated", "LeaderReady"]).optional(),
    networkConfig: z.strictObject({ subdomainPolicy: z.enum(["Shared", "UniquePerReplica"]) }).optional(),
  }),
  status: z.unknown().optional(),
});

function validateLeaderWorkerSet(object: unknown): string[] {
  const parsed = leaderWorkerSetSchema.safeParse(object);
  if (!parsed.success) return parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  const { leaderTemplate, workerTemplate } = parsed.data.spec.leaderWorkerTemplate;
  return [leaderTemplate, workerTemplate].flatMap((template) => [
    ...checkSchema(PodTemplateSpec as Model, template),
    ...findUnknownFields(template, "V1PodTemplateSpec", "template"),
    ...checkRules(template),
  ]);
}

function checkSchema(Model: Model, data: unknown): string[] {
  try {
    new Model(data as never).validate();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

type Attribute = { baseName: string; type: string };
type GeneratedModel = { getAttributeTypeMap(): Attribute[] };

function findUnknownFields(value: unknown, type: string, path: string): string[] {
  const item = /^Array<(.+)>$/.exec(type)?.[1];
  if (item !== undefined && Array.isArray(value)) {
    return value.flatMap((each, at) => findUnknownFields(each, item, `${path}[${at}]`));
  }
  const model = (client as unknown as Record<string, GeneratedModel | undefined>)[type];
  if (!model?.getAttributeTypeMap || typeof value !== "object" || value === null) return [];
  const attributes = new Map(model.getAttributeTypeMap().map((attribute) => [attribute.baseName, attribute.type]));
  return Object.entries(value).flatMap(([name, each]) => {
    const attribute = attributes.get(name);
    if (each === undefined) return [];
    return attribute === undefined
      ? [`unknown field "${path}.${name}"`]
      : findUnknownFields(each, attribute, `${path}.${name}`);
  });
}

const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const standardResources = ["cpu", "memory", "ephemeral-storage"];

/** Rules of validation.go in kubernetes/kubernetes that concern what we write. */
function checkRules(object: unknown): string[] {
  const problems: string[] = [];
  visit(object, (key, value) => {
    if ((key === "labels" || key === "matchLabels") && isRecord(value)) {
      for (const [name, text] of Object.entries(value)) {
        if (typeof text !== "string" || !labelValue.test(text))
          problems.push(`label ${name}: "${String(text)}" is no label value`);
      }
    }
    if (key === "matchFields" && Array.isArray(value)) {
      for (const { operator, values } of value as { operator: string; values: string[] }[]) {
        if (values.length !== 1) problems.push(`matchFields: ${operator} takes one value, not ${values.length}`);
      }
    }
    if (key === "resources" && isRecord(value) && isRecord(value["limits"]) && isRecord(value["requests"])) {
      for (const [resource, amount] of Object.entries(value["limits"])) {
        if (!standardResources.includes(resource) && value["requests"][resource] !== amount) {
          problems.push(`${resource}: the limit of an extended resource is its request`);
        }
      }
    }
  });
  const { kind, spec, metadata } = object as {
    kind?: string;
    metadata?: { name?: string };
    spec?: Record<string, unknown>;
  };
  if (kind === "Job") {
    const template = (spec?.["template"] ?? {}) as { spec?: { restartPolicy?: string } };
    if (template.spec?.restartPolicy !== "Never" && template.spec?.restartPolicy !== "OnFailure") {
      problems.push("spec.template.spec.restartPolicy: a Job's pods are never always restarted");
    }
    if (spec?.["podFailurePolicy"] && template.spec?.restartPolicy !== "Never") {
      problems.push("spec.podFailurePolicy: only with restartPolicy Never");
    }
    if (spec?.["podFailurePolicy"] && (spec["podReplacementPolicy"] ?? "Failed") !== "Failed") {
      problems.push("spec.podReplacementPolicy: only Failed with a pod failure policy");
    }
    if (spec?.["completionMode"] === "Indexed" && spec["completions"] === undefined) {
      problems.push("spec.completions: required for an indexed Job");
    }
  }
  // Pods of it are called <name>-<index>, which becomes a host name.
  if (kind === "Job" && (metadata?.name ?? "").length > 55) problems.push("metadata.name: too long for host names");
  if (kind === "Service" && !/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(metadata?.name ?? "")) {
    problems.push("metadata.name: a Service's name is a DNS label that begins with a letter");
  }
  return problems;
}

function visit(value: unknown, see: (key: string, value: unknown) => void): void {
  if (Array.isArray(value)) for (const each of value) visit(each, see);
  if (!isRecord(value)) return;
  for (const [key, each] of Object.entries(value)) {
    see(key, each);
    visit(each, see);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
