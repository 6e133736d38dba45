import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
type Tags = HTMLElementTagNameMap;

const store = createClient<paths>({ baseUrl: import.meta.env.VITE_STORE });

function element<Name extends keyof Tags>(name: Name, members: Partial<Tags[Name]>, ...children: (Node | string)[]): Tags[Name] {
  const made = Object.assign(document.createElement(name), members);
  made.append(...children);
  return made;
}

const input = element("input", { type: "search", name: "q", ariaLabel: "Search" });
const form = element("form", { role: "search" }, input);
const main = element("main", {});
const footer = element("footer", {});
const banner = element("section", { id: "banner", hidden: true });
document.body.append(element("header", {}, element("a", { href: "#" }, "The Larkmouth Courier"), form), main, footer, banner);

function figure(image: Schemas["CardPicture"] | Schemas["Picture"] | null, alt?: string | null, text?: string | null): HTMLElement {
  const sizes = image?.renditions.filter(({ name }) => name.startsWith("w")) ?? [];
  const { href: src = "", width, height } = sizes[0] ?? {};
  return element("figure", { hidden: src === "" },
    element("img", {
      sizes: "(min-width: 40rem) 40rem, 100vw",
      srcset: sizes.map((size) => `${size.href} ${size.width}w`).join(", "),
      src, width, height, alt: alt ?? "",
    }),
    element("figcaption", {}, [text, image?.credit_line].filter(Boolean).join(" ")));
}

function show(block: Schemas["Block"]): Node {
  switch (block.type) {
    case "paragraph":
      return element("p", { innerHTML: block.html });
    case "heading":
      return element(`h${block.level}`, { innerHTML: block.html });
    case "quote":
      return element("blockquote", {}, element("p", { innerHTML: block.html }), element("cite", {}, block.cite ?? ""));
    case "list":
      return element(block.ordered ? "ol" : "ul", {}, ...block.items.map((item) => element("li", { innerHTML: item })));
    case "table":
      return element("table", {}, element("caption", {}, block.caption ?? ""),
        ...(block.header ?? []).map((row) => element("tr", {}, ...row.map((cell) => element("th", { innerHTML: cell })))),
        ...block.rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", { innerHTML: cell })))));
    case "code":
      return element("pre", {}, element("code", {}, block.text));
    case "image":
      return figure(block.image, block.caption?.alt_text, block.caption?.text);
    case "embed":
      return element("p", {}, element("a", { href: block.url }, block.url));
    case "divider":
      return element("hr", {});
  }
}

async function list(q?: string): Promise<Node[]> {
  const fields = "slug,headline,summary,lead_image,snippet";
  const { data, error } = await store.GET("/v1/articles", { params: { query: { q, fields, language: ["en"] } } });
  if (error) return [element("p", { role: "alert" }, error.detail)];
  if (data.items.length === 0) return [element("p", {}, "Nothing was found.")];
  return data.items.map(({ slug, headline, summary, lead_image, snippet }) => element("article", {},
    figure(lead_image, lead_image?.caption?.alt_text),
    element("h2", {}, element("a", { href: `#read/${slug}` }, headline)),
    snippet ? element("p", { innerHTML: snippet }) : element("p", {}, summary ?? "")));
}

function article({ language, headline, byline, body, credit_line, corrections }: Schemas["Article"]): Node[] {
  return [element("article", { lang: language },
    element("h1", {}, headline),
    element("p", {}, byline ?? ""),
    ...body.map(show),
    ...corrections.map(({ kind, text }) => element("p", {}, `${kind}: ${text}`)),
    element("p", {}, credit_line ?? ""))];
}

async function page(): Promise<Node[]> {
  const [kind, key] = location.hash.slice(1).split("/").map(decodeURIComponent);
  if (key === undefined) return list();
  if (kind === "search") return list(key);
  const { data, error } = kind === "preview"
    ? await store.GET("/v1/previews/{token}", { params: { path: { token: key } } })
    : await store.GET("/v1/articles/{article_id}", { params: { path: { article_id: key } } });
  return data ? article(data) : [element("p", { role: "alert" }, error.detail)];
}

const turn = async () => main.replaceChildren(...await page());
form.onsubmit = () => { location.hash = `search/${encodeURIComponent(input.value)}`; return false; };
addEventListener("hashchange", turn);

const credentials = "include";
const path = { notice_key: "default" };

async function ask(): Promise<void> {
  const { data: standing } = await store.GET("/v1/consents/current", { credentials, params: { query: path } });
  const { data: notice } = await store.GET("/v1/consent-notices/{notice_key}/current", { params: { path } });
  if (!standing || !notice) return;
  const { title, body, actions } = notice.texts;
  const button = (action: "accept_all" | "reject_all") => element("button", {
    onclick: () => decide(store.POST("/v1/consents", { credentials, body: { ...path, notice_version: notice.version, action } })),
  }, actions?.[action] ?? action);
  banner.replaceChildren(element("h2", {}, title ?? ""), element("p", {}, body), button("accept_all"), button("reject_all"));
  banner.hidden = !standing.reconsent_required;
  const withdraw = () => decide(store.POST("/v1/consents/current/withdrawal", { credentials, body: path }));
  footer.replaceChildren(`Cookies: ${standing.status} `, element("button", { onclick: withdraw, hidden: standing.decided_at === null }, "Withdraw"));
}

async function decide(decision: Promise<{ error?: Schemas["Problem"] }>): Promise<void> {
  const { error } = await decision;
  if (error) footer.replaceChildren(element("p", { role: "alert" }, error.detail ?? ""));
  else await ask();
}

void turn();
void ask();
