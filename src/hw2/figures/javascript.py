"""The page's script: a click on a figure, or the Enter key, shows it enlarged."""

JAVASCRIPT = """
const dialog = document.getElementById("enlarged");
for (const image of document.querySelectorAll("figure img")) {
  image.tabIndex = 0;
  image.setAttribute("role", "button");
  const enlarge = () => {
    const copy = document.createElement("img");
    copy.src = image.src;
    copy.alt = image.alt;
    dialog.replaceChildren(copy);
    dialog.showModal();
  };
  image.addEventListener("click", enlarge);
  image.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      enlarge();
    }
  });
}
dialog.addEventListener("click", () => dialog.close());
"""
