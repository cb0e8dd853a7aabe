for (const player of document.querySelectorAll(".player")) {
  const call = player.closest(".call");
  const audio = player.querySelector("audio");
  const tape = player.querySelector(".tape");
  const playhead = player.querySelector(".playhead");
  const length = Number(player.dataset.duration);
  const turns = [...call.querySelectorAll(".turn[data-start]")];

  const show = () => {
    playhead.style.left = `${(100 * audio.currentTime) / length}%`;
    const begun = turns.filter((turn) => Number(turn.dataset.start) <= audio.currentTime);
    const now = audio.currentTime > 0 ? begun.at(-1) : undefined;
    for (const turn of turns) turn.classList.toggle("now", turn === now);
    if (!audio.paused) requestAnimationFrame(show);
  };
  const seek = (at, play) => {
    audio.currentTime = Math.min(Math.max(at, 0), length);
    if (play) {
      for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
      audio.play();
    }
    show();
  };

  audio.addEventListener("play", show);
  audio.addEventListener("seeked", show);
  call.addEventListener("click", (event) => {
    const target = event.target.closest("[data-seek]");
    if (target) seek(Number(target.dataset.seek), true);
    else if (tape.contains(event.target)) {
      const box = tape.getBoundingClientRect();
      seek(((event.clientX - box.left) / box.width) * length, false);
    }
  });
}
