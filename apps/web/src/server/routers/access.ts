import { roles } from "@anneal/core/access/roles";
import { z } from "zod";
import { principalKey, workspaceMembers, workspaceUser } from "@anneal/core/access/acl";
import { AnnealError } from "@anneal/core/errors";
import {
  addMember,
  addModelGrant,
  changeMember,
  createApiKey,
  findUserByEmail,
  listApiKeys,
  listMembers,
  listModelGrants,
  removeModelGrant,
  revokeApiKey,
  saveUser,
} from "@anneal/db/queries/access";
import { recordAudit } from "@anneal/db/queries/audit";
import { generateApiKey } from "@anneal/db/api-key";
import { hashPassword, minPasswordLength } from "@anneal/db/password";
import { adminProcedure, memberProcedure, router } from "#server/trpc.ts";

const dayMs = 86_400_000;

export const accessRouter = router({
  members: adminProcedure.query(({ ctx: { scope } }) => listMembers(scope)),

  /** Adds somebody by e-mail address; with a password when they do not sign in through the identity provider. */
  addMember: adminProcedure
    .input(
      z.object({
        email: z.email(),
        name: z.string().trim().min(1).max(200),
        role: z.enum(roles),
        password: z.string().min(minPasswordLength).max(1_000).optional(),
      }),
    )
    .mutation(async ({ ctx: { scope, identity, db }, input }) => {
      const known = await findUserByEmail(db, input.email);
      // An account that exists keeps its name and password: an administrator of one workspace owns neither.
      const user =
        known ??
        (await saveUser(db, { ...input, passwordHash: input.password ? await hashPassword(input.password) : null }));
      await addMember(scope, user.id, input.role, {
        actor: identity.email,
        action: "member.add",
        subject: `user:${input.email}`,
        details: { role: input.role },
      });
      return { existed: known !== undefined };
    }),

  setRole: adminProcedure
    .input(z.object({ userId: z.uuid(), role: z.enum(roles) }))
    .mutation(async ({ ctx: { scope, identity }, input }) =>
      changeMember(scope, input.userId, input.role, {
        actor: identity.email,
        action: "member.role",
        subject: `user:${input.userId}`,
        details: { role: input.role },
      }),
    ),

  removeMember: adminProcedure
    .input(z.object({ userId: z.uuid() }))
    .mutation(async ({ ctx: { scope, identity }, input }) =>
      changeMember(scope, input.userId, null, {
        actor: identity.email,
        action: "member.remove",
        subject: `user:${input.userId}`,
      }),
    ),

  /** Everyone's keys for administrators, one's own for everyone else. */
  keys: memberProcedure.query(async ({ ctx: { scope, identity } }) => {
    const keys = await listApiKeys(scope);
    return identity.role === "admin" ? keys : keys.filter((key) => key.email === identity.email);
  }),

  /** The key itself is in this answer and nowhere else. It acts as whoever made it. */
  createKey: memberProcedure
    .input(z.object({ name: z.string().trim().min(1).max(100), days: z.number().int().min(1).max(3_650).nullable() }))
    .mutation(async ({ ctx: { scope, identity }, input }) => {
      if (identity.via.kind === "apiKey")
        throw new AnnealError("FORBIDDEN", "An API key cannot make another API key.", {
          action: "Make it on the Access page.",
        });
      const { key, prefix, hash } = generateApiKey();
      const expiresAt = input.days === null ? null : new Date(Date.now() + input.days * dayMs);
      await recordAudit(scope, {
        actor: identity.email,
        action: "key.create",
        subject: `key:${prefix}`,
        details: { name: input.name },
      });
      await createApiKey(scope, { userId: identity.userId, name: input.name, prefix, hash, expiresAt });
      return { key };
    }),

  revokeKey: memberProcedure
    .input(z.object({ keyId: z.uuid() }))
    .mutation(async ({ ctx: { scope, identity }, input }) => {
      const key = (await listApiKeys(scope)).find((each) => each.id === input.keyId);
      if (!key || (identity.role !== "admin" && key.email !== identity.email))
        throw new AnnealError("NOT_FOUND", "There is no such key among yours.", {
          action: "Reload the page to see the keys that exist.",
        });
      await recordAudit(scope, { actor: identity.email, action: "key.revoke", subject: `key:${key.prefix}` });
      await revokeApiKey(scope, input.keyId);
    }),

  /** Who may use which model. What is not in this list is not permitted. */
  grants: adminProcedure.query(async ({ ctx: { scope } }) => {
    const [grants, members] = await Promise.all([listModelGrants(scope), listMembers(scope)]);
    const people = new Map(members.map((each) => [principalKey(workspaceUser(scope.workspaceId, each.userId)), each]));
    const everyone = principalKey(workspaceMembers(scope.workspaceId));
    return grants.map(({ id, principal, resource, grantedBy, createdAt }) => ({
      id,
      resource,
      grantedBy,
      createdAt,
      /** null for everyone in the workspace. */
      person: principal === everyone ? null : (people.get(principal)?.email ?? "Somebody who has left"),
    }));
  }),

  /** @param userId null for everyone in the workspace. */
  grant: adminProcedure
    .input(
      z.object({
        userId: z.uuid().nullable(),
        resource: z
          .string()
          .max(200)
          .regex(/^(?:base|(?:adapter|assistant):.+)$/),
      }),
    )
    .mutation(async ({ ctx: { scope, identity }, input: { userId, resource } }) => {
      const member = userId === null ? null : (await listMembers(scope)).find((each) => each.userId === userId);
      if (member === undefined)
        throw new AnnealError("NOT_FOUND", "There is no such member of this workspace.", {
          action: "Add them to the workspace first.",
        });
      const who =
        member === null ? workspaceMembers(scope.workspaceId) : workspaceUser(scope.workspaceId, member.userId);
      await recordAudit(scope, {
        actor: identity.email,
        action: "model.grant",
        subject: resource,
        details: { to: member?.email ?? "everyone in the workspace" },
      });
      await addModelGrant(scope, { principal: principalKey(who), resource, grantedBy: identity.email });
    }),

  ungrant: adminProcedure
    .input(z.object({ grantId: z.uuid() }))
    .mutation(async ({ ctx: { scope, identity }, input }) => {
      const grant = (await listModelGrants(scope)).find((each) => each.id === input.grantId);
      if (!grant)
        throw new AnnealError("NOT_FOUND", "This permission was taken away already.", { action: "Reload the page." });
      await recordAudit(scope, {
        actor: identity.email,
        action: "model.ungrant",
        subject: grant.resource,
        details: { from: grant.principal },
      });
      await removeModelGrant(scope, grant.id);
    }),
});
