// Runs before the first paint, so that a chosen theme or language never flashes its opposite.
(function () {
  var root = document.documentElement;
  var asked = new URLSearchParams(location.search);
  var kept = {};
  try {
    kept = JSON.parse(localStorage.getItem("vitral") || "{}") || {};
  } catch {
    // Storage may be closed to us; the system's preferences then decide.
  }
  var theme = asked.get("theme") || kept.theme;
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  var language = asked.get("lang") || kept.language || navigator.language || "en";
  root.lang = language.slice(0, 2) === "es" ? "es" : "en";
})();
