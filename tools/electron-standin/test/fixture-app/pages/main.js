// The fixture's page: proves that the preload was there before it.
document.body.dataset.sum = String(window.api.add(2, 3))
