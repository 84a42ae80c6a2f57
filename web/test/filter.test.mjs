import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./module.mjs";

const { matches } = await load("filter.ts");

test("every word of the query must begin a word", () => {
  const words = "EURUSD US dollar EUR USD";
  for (const query of ["", " ", "usd", "DOLLAR", "us doll", "eur  usd"]) assert.ok(matches(query, words), query);
  for (const query of ["yen", "us yen", "usdollar", "ollar"]) assert.ok(!matches(query, words), query);
  assert.ok(!matches("us dollar", "EURAUD Australian dollar EUR AUD"));
});
