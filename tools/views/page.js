document.getElementById("headline").textContent = JSON.parse(document.getElementById("report").textContent).totals.frames + " frames";
