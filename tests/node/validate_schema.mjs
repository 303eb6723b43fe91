// Reads {schema, cases: [[pointer, instance], ...]} from stdin; prints each case's errors as JSON.
import { readFileSync } from "node:fs";
import Ajv2020 from "ajv/dist/2020.js";

const { schema, cases } = JSON.parse(readFileSync(0, "utf8"));
const ajv = new Ajv2020.default({ strict: true, allErrors: false, keywords: ["discriminator"] });
ajv.addSchema(schema, "wire");
const errors = cases.map(([pointer, instance]) => {
  const validate = ajv.getSchema(`wire${pointer}`);
  return validate(instance) ? [] : validate.errors.map((error) => error.message);
});
console.log(JSON.stringify(errors));
