/** The schemas of the description, made from those that validate. */

import { z } from "zod";
import { Registration } from "../../accounts/registration.ts";
import { Health, Jwk, JwkSet, ServerMetadata } from "../public_schemas.ts";
import {
  AuthBody,
  AuthResponse,
  ClientForm,
  IntrospectionAnswer,
  IntrospectionForm,
  PasswordResponse,
  TestParameters,
  TokenForm,
  TokenResponse,
} from "../schemas.ts";
import { ErrorBody } from "./errors.ts";
import type { ApiOptions, Json } from "./route.ts";

/** What of a client's proof makes no sense by itself (RFC 7521 §4.2). */
const TOGETHER = {
  dependentRequired: {
    client_secret: ["client_id"],
    client_assertion: ["client_assertion_type"],
    client_assertion_type: ["client_assertion"],
  },
};

/** A field of a form that means nothing; not even that may be repeated, as a list would be. */
const FIELD = z.string();

type SchemaOptions = Pick<ApiOptions, "registration" | "expiredTokens" | "testTokens">;

/** What requests say. */
function requestSchemas(
  { registration, expiredTokens, testTokens }: SchemaOptions,
): Record<string, z.ZodType> {
  const test = testTokens ? TestParameters.shape : {};
  const Credentials = (expiredTokens ? AuthBody : AuthBody.omit({ expired: true })).extend(test);
  return {
    ...registration ? { Registration } : {},
    Credentials,
    CredentialsForm: Credentials.catchall(FIELD),
    ClientProof: ClientForm.catchall(FIELD).meta(TOGETHER),
    TokenRequest: TokenForm.extend(ClientForm.shape).extend(test).catchall(FIELD).meta(TOGETHER),
    IntrospectionRequest: IntrospectionForm.extend(ClientForm.shape).catchall(FIELD).meta(TOGETHER),
  };
}

/** What answers say. */
const ANSWERS: Readonly<Record<string, z.ZodType>> = {
  Jwk,
  JwkSet,
  ServerMetadata,
  Token: AuthResponse,
  AccessToken: TokenResponse,
  Introspection: IntrospectionAnswer,
  Password: PasswordResponse,
  Health,
  Error: ErrorBody,
};

/** Every schema by its name. */
export function describeSchemas(options: SchemaOptions): Record<string, Json> {
  return {
    ...toJsonSchemas(requestSchemas(options), "input"),
    ...toJsonSchemas(ANSWERS, "output"),
  };
}

function toJsonSchemas(
  schemas: Readonly<Record<string, z.ZodType>>,
  io: "input" | "output",
): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const { schemas: made } = z.toJSONSchema(registry, {
    target: "draft-2020-12",
    io,
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => keepOpen(jsonSchema),
  });
  return Object.fromEntries(Object.entries(made).map(([id, schema]) => [id, asComponent(schema)]));
}

/** A client must go on when a later version says more (RFC 6749 §5.1, RFC 7517 §5). */
function keepOpen(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.additionalProperties === false) delete schema.additionalProperties;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}

/** A component has its dialect and its name from the document that it is a part of. */
function asComponent({ $schema: _, $id: __, ...schema }: z.core.JSONSchema.BaseSchema): Json {
  return schema;
}
