// A form made from a message's JSON schema, and the payload that it holds. Knows JSON schema as far as OCPP uses it, no message.

import { button, element } from "./dom.js";

const DEEP = 6;

/** Fills `box` with the fields of an object schema. Answers a function that gives the payload. */
export function formOf(box, schema) {
  const field = objectField(schema, schema.definitions ?? {}, 0);
  box.replaceChildren(...field.node.children);
  return () => field.value() ?? {};
}

function resolved(schema, definitions) {
  const name = schema.$ref?.split("/").at(-1);
  return name ? { ...definitions[name], ...schema } : schema;
}

function fieldOf(name, schema, definitions, must, depth) {
  const whole = resolved(schema, definitions);
  if (whole.type === "object") return boxed(name, must, objectField(whole, definitions, depth + 1));
  if (whole.type === "array") return boxed(name, must, listField(name, () => itemField(whole.items ?? {}, definitions, depth + 1)));
  return plainField(name, whole, must);
}

function itemField(items, definitions, depth) {
  const whole = resolved(items, definitions);
  return whole.type === "object" ? objectField(whole, definitions, depth) : plainField("each", whole, true);
}

/** One item at first; more by a button, fewer by another. */
function listField(name, makeItem) {
  const items = [];
  const box = element("div");
  const add = () => {
    const item = makeItem();
    const row = element("div", { className: "item" }, item.node);
    if (items.length) row.append(button("−", () => { items.splice(items.indexOf(item), 1); row.remove(); }, { ariaLabel: `one ${name} less` }));
    items.push(item);
    box.append(row);
  };
  add();
  const value = () => {
    const found = items.map((item) => item.value()).filter((one) => one !== undefined);
    return found.length ? found : undefined;
  };
  return { node: element("div", {}, box, button("+", add, { ariaLabel: `one ${name} more` })), value, empty: [] };
}

function objectField(schema, definitions, depth) {
  const must = schema.required ?? [];
  const names = Object.keys(schema.properties ?? {}).filter((name) => name !== "customData");
  const fields = depth > DEEP ? [] : names.map((name) => [name, fieldOf(name, schema.properties[name], definitions, must.includes(name), depth)]);
  const value = () => {
    const found = fields.map(([name, field]) => [name, field.value()]).filter(([, one]) => one !== undefined);
    return found.length ? Object.fromEntries(found) : undefined;
  };
  return { node: element("div", {}, ...fields.map(([, field]) => field.node)), value };
}

function boxed(name, must, inner) {
  const used = element("input", { type: "checkbox", checked: must, disabled: must, ariaLabel: `with ${name}` });
  const body = element("div", {}, inner.node);
  body.hidden = !must;
  used.onchange = () => { body.hidden = !used.checked; };
  const node = element("fieldset", {}, element("legend", {}, element("label", {}, used, element("span", { textContent: name, className: must ? "must" : "" }))), body);
  return { node, value: () => (used.checked ? inner.value() ?? inner.empty ?? {} : undefined) };
}

function plainField(name, schema, must) {
  const input = inputOf(schema, must);
  const label = element("label", { title: schema.description ?? "" }, element("span", { textContent: name, className: must ? "must" : "" }), input);
  return { node: label, value: () => valueOf(input.value, schema.type) };
}

function inputOf(schema, must) {
  const options = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : null);
  if (options) return element("select", {}, ...(must ? [] : [element("option", { value: "", textContent: "" })]), ...options.map((text) => element("option", { textContent: text })));
  if (schema.type === "integer" || schema.type === "number") return element("input", { type: "number", step: schema.type === "integer" ? 1 : "any", value: must ? 1 : "" });
  return element("input", { type: "text", maxLength: schema.maxLength ?? 1000, size: 24, placeholder: schema.format ?? "" });
}

function valueOf(text, type) {
  if (text === "") return undefined;
  return type === "integer" || type === "number" ? Number(text) : type === "boolean" ? text === "true" : text;
}
