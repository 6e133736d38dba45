interface ImportMeta {
  readonly env: { readonly VITE_STORE: string };
}
