"use strict";
const root = document.documentElement;
const remember = (name, value) => { try { localStorage.setItem(name, value); } catch { /* a file may keep nothing */ } };
const recall = (name) => { try { return localStorage.getItem(name); } catch { return null; } };

function speak(language) {
  root.dataset.language = language;
  root.lang = language === "zh" ? "zh-CN" : "en";
  document.getElementById("language").textContent = language === "zh" ? "English" : "中文";
}
function paint(theme) { root.dataset.theme = theme; }

const asked = new URLSearchParams(location.search);
speak(asked.get("lang") || recall("language") || (navigator.language.startsWith("zh") ? "zh" : "en"));
paint(asked.get("theme") || recall("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
document.getElementById("language").onclick = () => { speak(root.dataset.language === "zh" ? "en" : "zh"); remember("language", root.dataset.language); };
document.getElementById("theme").onclick = () => { paint(root.dataset.theme === "dark" ? "light" : "dark"); remember("theme", root.dataset.theme); };

for (const list of document.querySelectorAll("[role=tablist]")) {
  const tabs = [...list.children];
  const choose = (tab) => {
    for (const each of tabs) {
      const chosen = each === tab;
      each.setAttribute("aria-selected", chosen);
      each.tabIndex = chosen ? 0 : -1;
      document.getElementById(each.getAttribute("aria-controls")).hidden = !chosen;
    }
  };
  tabs.forEach((tab, at) => {
    tab.onclick = () => choose(tab);
    tab.onkeydown = (event) => {
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const next = tabs[(to + tabs.length) % tabs.length];
      choose(next);
      next.focus();
    };
  });
  choose(tabs.find((tab) => tab.dataset.name === asked.get("tab")) || tabs[0]);
}
for (const button of document.querySelectorAll(".copy"))
  button.onclick = async () => { await navigator.clipboard.writeText(button.nextElementSibling.textContent); button.textContent = "✓"; };

const served = location.protocol.startsWith("http");
for (const form of document.querySelectorAll("form")) {
  const output = form.nextElementSibling;
  if (served) form.elements.server.value = location.origin;
  form.onsubmit = async (event) => {
    event.preventDefault();
    output.replaceChildren();
    const told = output.appendChild(document.createElement("pre"));
    told.tabIndex = 0;
    try {
      const headers = { Authorization: `Bearer ${form.elements.key.value}` };
      const body = form.elements.body?.value;
      if (body) headers["Content-Type"] = "application/json";
      const answer = await fetch(form.elements.server.value + form.dataset.path, { method: form.dataset.method, headers, body });
      const text = await answer.text();
      told.textContent = `${answer.status}\n${text.length > 20000 ? `${text.slice(0, 20000)} …` : text}`;
      for (const picture of answer.ok ? JSON.parse(text).data || [] : []) {
        const image = output.appendChild(new Image());
        image.alt = picture.revised_prompt || JSON.parse(body).prompt;
        image.src = picture.url || `data:image/png;base64,${picture.b64_json}`;
      }
    } catch (error) {
      told.textContent = String(error);
    }
  };
}
