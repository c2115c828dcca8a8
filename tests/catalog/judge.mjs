// Judge entities as Backstage's catalog does: a JSON list on stdin, a list of refs on stdout,
// null for an entity that is refused.
import * as model from "@backstage/catalog-model";
import { readFileSync } from "node:fs";

const envelope = model.entityEnvelopeSchemaValidator();
const policy = model.EntityPolicies.allOf([
  new model.SchemaValidEntityPolicy(),
  new model.DefaultNamespaceEntityPolicy(),
  new model.NoForeignRootFieldsEntityPolicy(),
  new model.FieldFormatEntityPolicy(),
]);
const kinds = [
  model.apiEntityV1alpha1Validator,
  model.componentEntityV1alpha1Validator,
  model.resourceEntityV1alpha1Validator,
  model.groupEntityV1alpha1Validator,
  model.locationEntityV1alpha1Validator,
  model.userEntityV1alpha1Validator,
  model.systemEntityV1alpha1Validator,
  model.domainEntityV1alpha1Validator,
];
const fields = {
  owner: "Group", system: "System", subcomponentOf: "Component", domain: "Domain",
  subdomainOf: "Domain", providesApis: "API", consumesApis: "API", dependsOn: undefined,
  dependencyOf: undefined, parent: "Group", children: "Group", members: "User", memberOf: "Group",
};
const related = {
  Component: ["owner", "subcomponentOf", "providesApis", "consumesApis", "dependsOn", "dependencyOf", "system"],
  API: ["owner", "system"],
  Resource: ["owner", "dependsOn", "dependencyOf", "system"],
  System: ["owner", "domain"],
  Domain: ["owner", "subdomainOf"],
  Group: ["parent", "children", "members"],
  User: ["memberOf"],
  Location: [],
};

async function judged(given) {
  envelope(given);
  const entity = await policy.enforce(given);
  let known = false;
  for (const kind of kinds) known = (await kind.check(entity)) || known;
  if (!known) throw new Error("no kind knows it");
  for (const field of related[entity.kind]) {
    const value = entity.spec[field];
    for (const ref of value ? [value].flat() : []) {
      model.parseEntityRef(ref, { defaultKind: fields[field], defaultNamespace: "default" });
    }
  }
  return model.stringifyEntityRef(entity);
}

const refs = [];
for (const entity of JSON.parse(readFileSync(0, "utf8"))) {
  refs.push(await judged(entity).catch(() => null));
}
console.log(JSON.stringify(refs));
