// The control API of one charge point, and what goes wrong with it. Knows no page.

let base = "/api";
let complain = () => {};

export const use = (station) => { base = `/api/stations/${station}`; };
export const onTrouble = (tell) => { complain = tell; };

/** A JSON answer; throws an Error with the sentence of the API. */
export async function ask(path, method = "GET", body = undefined) {
  const answer = await fetch(path, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  const data = await answer.json();
  if (!answer.ok) throw new Error(data.error);
  return data;
}

/** An act on the charge point; a refusal is told, not thrown. */
export async function act(path, body = undefined, method = "POST") {
  try {
    await ask(`${base}/${path}`, method, body);
    complain("");
  } catch (error) {
    complain(error.message);
  }
}

export const get = (path) => ask(`${base}/${path}`);

/** Server-sent events of the charge point; the browser connects again by itself. Answers how to end it. */
export const stream = (path, take, lost) => follow(`${base}/${path}`, take, lost);

/** The same, of any path. */
export function follow(path, take, lost = () => {}) {
  const source = new EventSource(path);
  source.onmessage = (message) => take(JSON.parse(message.data));
  source.onerror = lost;
  return () => source.close();
}
