// A front end and an integrator, as openapi-typescript and openapi-fetch let one write them: no cast, no work-around.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

type Article = components["schemas"]["Article"];
type Block = components["schemas"]["Block"];

const client = createClient<paths>({ baseUrl: "http://127.0.0.1:8000" });

function written(block: Block): string {
  switch (block.type) {
    case "paragraph":
    case "heading":
      return block.html;
    case "list":
      return block.items.join("");
    case "table":
      return block.rows.flat().join("");
    case "image":
      return `${block.image?.renditions[0]?.href} ${block.caption?.text}`;
    case "embed":
      return block.url;
    default:
      return "";
  }
}

export async function read(slug: string): Promise<string[]> {
  const { data, error } = await client.GET("/v1/articles/{article_id}", { params: { path: { article_id: slug } } });
  if (error !== undefined) throw new Error(error.title);
  const article: Article = data;
  return article.body.map(written);
}

export async function list(section: string): Promise<string[]> {
  const { data } = await client.GET("/v1/articles", { params: { query: { limit: 10, section: [section] } } });
  return (data?.items ?? []).map((article) => `${article.headline} ${article.lead_image?.renditions[0]?.href}`);
}

export async function write(headline: string): Promise<void> {
  const body = [{ type: "paragraph" as const, html: "Trams cross again." }];
  await client.POST("/v1/articles", { body: { headline, body } });
  await client.PATCH("/v1/articles/{article_id}", {
    params: { path: { article_id: "01997f3c-6a58-7c11-8f0e-1d5c6a2b9e77" }, header: { "If-Match": "*" } },
    body: { summary: null, section: "City" },
  });
}

export async function follow(since: string): Promise<string[]> {
  const { data } = await client.GET("/v1/changes", { params: { query: { since } } });
  return (data?.items ?? []).map((change) => {
    // @ts-expect-error A removal has no data: the entries are told apart.
    if (change.op === "remove") return change.data.headline ?? change.reason;
    return change.kind === "article" ? change.data.headline : change.data.id;
  });
}
