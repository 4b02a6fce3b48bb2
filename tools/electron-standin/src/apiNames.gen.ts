// Generated from electron 45.4.1 by generateApiNames.ts. Do not edit.

export const apiNames = {
  App: {
    parent: null,
    members: `
      addRecentDocument clearRecentDocuments configureHostResolver configureWebAuthn disableDomainBlockingFor3DAPIs disableHardwareAcceleration
      enableSandbox exit focus getAccessibilitySupportFeatures getApplicationInfoForProtocol getApplicationNameForProtocol getAppMetrics
      getAppPath getBadgeCount getCurrentActivityType getFileIcon getGPUFeatureStatus getGPUInfo getJumpListSettings getLocale
      getLocaleCountryCode getLoginItemSettings getName getPath getPreferredSystemLanguages getRecentDocuments getSystemLocale getVersion
      hasSingleInstanceLock hide importCertificate invalidateCurrentActivity isAccessibilitySupportEnabled isActive isDefaultProtocolClient
      isEmojiPanelSupported isHardwareAccelerationEnabled isHidden isInApplicationsFolder isReady isSecureKeyboardEntryEnabled
      moveToApplicationsFolder quit relaunch releaseSingleInstanceLock removeAsDefaultProtocolClient requestSingleInstanceLock
      resignCurrentActivity resolveProxy setAboutPanelOptions setAccessibilitySupportEnabled setAccessibilitySupportFeatures setActivationPolicy
      setAppLogsPath setAppUserModelId setAsDefaultProtocolClient setBadgeCount setClientCertRequestPasswordHandler setDesktopName setJumpList
      setLoginItemSettings setName setPath setProxy setSecureKeyboardEntryEnabled setToastActivatorCLSID setUserActivity setUserTasks show
      showAboutPanel showEmojiPanel startAccessingSecurityScopedResource startAppShimServer stopAppShimServer updateCurrentActivity whenReady
      accessibilitySupportEnabled applicationMenu badgeCount commandLine dock isPackaged name runningUnderARM64Translation toastActivatorCLSID
      userAgentFallback
    `,
    events: `
      accessibility-support-changed activate activity-was-continued app-shim-connected app-shim-version-mismatch before-quit browser-window-blur
      browser-window-created browser-window-focus certificate-error child-process-gone continue-activity continue-activity-error did-become-active
      did-resign-active gpu-info-update login new-window-for-tab open-file open-url quit ready render-process-gone second-instance
      select-client-certificate session-created update-activity-state web-contents-created will-continue-activity will-finish-launching will-quit
      window-all-closed
    `
  },
  AutoUpdater: {
    parent: null,
    members: `
      checkForUpdates getFeedURL quitAndInstall setFeedURL
    `,
    events: `
      before-quit-for-update checking-for-update error update-available update-downloaded update-not-available
    `
  },
  BaseWindow: {
    parent: null,
    members: `
      clearPersistedState fromId getAllWindows getFocusedWindow addTabbedWindow blur center close closeFilePreview destroy flashFrame focus
      getAccentColor getBackgroundColor getBounds getChildWindows getContentBounds getContentSize getContentView getMaximumSize getMediaSourceId
      getMinimumSize getNativeWindowHandle getNormalBounds getOpacity getParentWindow getPosition getRepresentedFilename getSize getTitle
      getWindowButtonPosition hasShadow hide hookWindowMessage invalidateShadow isAlwaysOnTop isClosable isContentProtected isDestroyed
      isDocumentEdited isEnabled isFocusable isFocused isFullScreen isFullScreenable isHiddenInMissionControl isKiosk isMaximizable isMaximized
      isMenuBarAutoHide isMenuBarVisible isMinimizable isMinimized isModal isMovable isNormal isResizable isSimpleFullScreen isSnapped
      isTabletMode isVisible isVisibleOnAllWorkspaces isWindowMessageHooked maximize mergeAllWindows minimize moveAbove moveTabToNewWindow moveTop
      previewFile removeMenu restore selectNextTab selectPreviousTab setAccentColor setAlwaysOnTop setAppDetails setAspectRatio setAutoHideCursor
      setAutoHideMenuBar setBackgroundColor setBackgroundMaterial setBounds setClosable setContentBounds setContentProtection setContentSize
      setContentView setDocumentEdited setEnabled setFocusable setFullScreen setFullScreenable setHasShadow setHiddenInMissionControl setIcon
      setIgnoreMouseEvents setKiosk setMaximizable setMaximumSize setMenu setMenuBarVisibility setMinimizable setMinimumSize setMovable setOpacity
      setOverlayIcon setParentWindow setPosition setProgressBar setRepresentedFilename setResizable setShape setSheetOffset setSimpleFullScreen
      setSize setSkipTaskbar setThumbarButtons setThumbnailClip setThumbnailToolTip setTitle setTitleBarOverlay setTouchBar setVibrancy
      setVisibleOnAllWorkspaces setWindowButtonPosition setWindowButtonVisibility show showAllTabs showInactive toggleTabBar
      unhookAllWindowMessages unhookWindowMessage unmaximize accessibleTitle autoHideMenuBar closable contentView documentEdited
      excludedFromShownWindowsMenu focusable fullScreen fullScreenable id kiosk maximizable menuBarVisible minimizable movable representedFilename
      resizable shadow simpleFullScreen snapped tabbingIdentifier title visibleOnAllWorkspaces
    `,
    events: `
      always-on-top-changed app-command blur close closed enter-full-screen focus hide leave-full-screen maximize minimize move moved
      new-window-for-tab persisted-state-restored query-session-end resize resized restore rotate-gesture session-end sheet-begin sheet-end show
      swipe system-context-menu unmaximize will-move will-resize
    `
  },
  BrowserWindow: {
    parent: 'BaseWindow',
    members: `
      fromBrowserView fromId fromWebContents getAllWindows getFocusedWindow addBrowserView addTabbedWindow blur blurWebView capturePage center
      close closeFilePreview destroy flashFrame focus focusOnWebView getAccentColor getBackgroundColor getBounds getBrowserView getBrowserViews
      getChildWindows getContentBounds getContentSize getMaximumSize getMediaSourceId getMinimumSize getNativeWindowHandle getNormalBounds
      getOpacity getParentWindow getPosition getRepresentedFilename getSize getTitle getWindowButtonPosition hasShadow hide hookWindowMessage
      invalidateShadow isAlwaysOnTop isClosable isContentProtected isDestroyed isDocumentEdited isEnabled isFocusable isFocused isFullScreen
      isFullScreenable isHiddenInMissionControl isKiosk isMaximizable isMaximized isMenuBarAutoHide isMenuBarVisible isMinimizable isMinimized
      isModal isMovable isNormal isResizable isSimpleFullScreen isSnapped isTabletMode isVisible isVisibleOnAllWorkspaces isWindowMessageHooked
      loadFile loadURL maximize mergeAllWindows minimize moveAbove moveTabToNewWindow moveTop previewFile reload removeBrowserView removeMenu
      restore selectNextTab selectPreviousTab setAccentColor setAlwaysOnTop setAppDetails setAspectRatio setAutoHideCursor setAutoHideMenuBar
      setBackgroundColor setBackgroundMaterial setBounds setBrowserView setClosable setContentBounds setContentProtection setContentSize
      setDocumentEdited setEnabled setFocusable setFullScreen setFullScreenable setHasShadow setHiddenInMissionControl setIcon
      setIgnoreMouseEvents setKiosk setMaximizable setMaximumSize setMenu setMenuBarVisibility setMinimizable setMinimumSize setMovable setOpacity
      setOverlayIcon setParentWindow setPosition setProgressBar setRepresentedFilename setResizable setShape setSheetOffset setSimpleFullScreen
      setSize setSkipTaskbar setThumbarButtons setThumbnailClip setThumbnailToolTip setTitle setTitleBarOverlay setTopBrowserView setTouchBar
      setVibrancy setVisibleOnAllWorkspaces setWindowButtonPosition setWindowButtonVisibility show showAllTabs showDefinitionForSelection
      showInactive toggleTabBar unhookAllWindowMessages unhookWindowMessage unmaximize accessibleTitle autoHideMenuBar closable documentEdited
      excludedFromShownWindowsMenu focusable fullScreen fullScreenable id kiosk maximizable menuBarVisible minimizable movable representedFilename
      resizable shadow simpleFullScreen snapped tabbingIdentifier title visibleOnAllWorkspaces webContents
    `,
    events: `
      always-on-top-changed app-command blur close closed enter-full-screen enter-html-full-screen focus hide leave-full-screen
      leave-html-full-screen maximize minimize move moved new-window-for-tab page-title-updated persisted-state-restored query-session-end
      ready-to-show resize resized responsive restore rotate-gesture session-end sheet-begin sheet-end show swipe system-context-menu unmaximize
      unresponsive will-move will-resize
    `
  },
  Clipboard: {
    parent: null,
    members: `
      clear has read readText write writeText selection
    `,
    events: `
    `
  },
  CommandLine: {
    parent: null,
    members: `
      appendArgument appendSwitch getSwitchValue hasSwitch removeSwitch
    `,
    events: `
    `
  },
  CrashReporter: {
    parent: null,
    members: `
      addExtraParameter getLastCrashReport getParameters getUploadedReports getUploadToServer removeExtraParameter setUploadToServer start
    `,
    events: `
    `
  },
  DesktopCapturer: {
    parent: null,
    members: `
      getSources
    `,
    events: `
    `
  },
  Dialog: {
    parent: null,
    members: `
      showCertificateTrustDialog showErrorBox showMessageBox showMessageBoxSync showOpenDialog showOpenDialogSync showSaveDialog
      showSaveDialogSync
    `,
    events: `
    `
  },
  Dock: {
    parent: null,
    members: `
      bounce cancelBounce downloadFinished getBadge getMenu hide isVisible setBadge setIcon setMenu show
    `,
    events: `
    `
  },
  GlobalShortcut: {
    parent: null,
    members: `
      isRegistered isSuspended register registerAll setSuspended unregister unregisterAll
    `,
    events: `
    `
  },
  IpcMain: {
    parent: null,
    members: `
      handle handleOnce removeAllListeners removeHandler
    `,
    events: `
    `
  },
  Menu: {
    parent: null,
    members: `
      buildFromTemplate getApplicationMenu sendActionToFirstResponder setApplicationMenu setHighlightColors append closePopup getMenuItemById
      insert popup items
    `,
    events: `
      menu-will-close menu-will-show
    `
  },
  MenuItem: {
    parent: null,
    members: `
      accelerator accessibilityLabel badge checked click commandId enabled icon id label menu registerAccelerator role sharingItem sublabel
      submenu toolTip type userAccelerator visible
    `,
    events: `
    `
  },
  NativeImage: {
    parent: null,
    members: `
      createEmpty createFromBitmap createFromBuffer createFromDataURL createFromNamedImage createFromPath createMenuSymbol createThumbnailFromPath
      addRepresentation crop getAspectRatio getBitmap getNativeHandle getScaleFactors getSize isEmpty isTemplateImage resize setTemplateImage
      toBitmap toDataURL toJPEG toPNG isMacTemplateImage
    `,
    events: `
    `
  },
  NativeTheme: {
    parent: null,
    members: `
      inForcedColorsMode prefersReducedTransparency shouldDifferentiateWithoutColor shouldUseDarkColors shouldUseDarkColorsForSystemIntegratedUI
      shouldUseHighContrastColors shouldUseInvertedColorScheme themeSource
    `,
    events: `
      updated
    `
  },
  Net: {
    parent: null,
    members: `
      fetch isOnline request resolveHost online WebSocket
    `,
    events: `
    `
  },
  Notification: {
    parent: null,
    members: `
      getHistory handleActivation isSupported remove removeAll removeGroup close show actions body closeButtonText groupId groupTitle hasReply id
      replyPlaceholder silent sound subtitle timeoutType title toastXml urgency
    `,
    events: `
      action click close failed reply show
    `
  },
  PowerMonitor: {
    parent: null,
    members: `
      getCurrentThermalState getSystemIdleState getSystemIdleTime isOnBatteryPower onBatteryPower
    `,
    events: `
      lock-screen on-ac on-battery resume shutdown speed-limit-change suspend thermal-state-change unlock-screen user-did-become-active
      user-did-resign-active
    `
  },
  PowerSaveBlocker: {
    parent: null,
    members: `
      isStarted start stop
    `,
    events: `
    `
  },
  Protocol: {
    parent: null,
    members: `
      getSource handle interceptBufferProtocol interceptFileProtocol interceptHttpProtocol interceptStreamProtocol interceptStringProtocol
      isProtocolHandled isProtocolIntercepted isProtocolRegistered registerBufferProtocol registerFileProtocol registerHttpProtocol
      registerSchemesAsPrivileged registerSource registerStreamProtocol registerStringProtocol unhandle uninterceptProtocol unregisterProtocol
    `,
    events: `
    `
  },
  SafeStorage: {
    parent: null,
    members: `
      decryptString decryptStringAsync encryptString encryptStringAsync getSelectedStorageBackend isAsyncEncryptionAvailable isEncryptionAvailable
      setUsePlainTextEncryption
    `,
    events: `
    `
  },
  Screen: {
    parent: null,
    members: `
      dipToScreenPoint dipToScreenRect getAllDisplays getCursorScreenPoint getDisplayMatching getDisplayNearestPoint getPrimaryDisplay
      screenToDipPoint screenToDipRect
    `,
    events: `
      display-added display-metrics-changed display-removed
    `
  },
  Session: {
    parent: null,
    members: `
      fromPartition fromPath defaultSession addWordToSpellCheckerDictionary allowNTLMCredentialsForDomains clearAuthCache clearCache
      clearCodeCaches clearData clearHostResolverCache clearSharedDictionaryCache clearSharedDictionaryCacheForIsolationKey clearStorageData
      closeAllConnections createInterruptedDownload disableNetworkEmulation downloadURL enableNetworkEmulation fetch flushStorageData
      forceReloadProxyConfig getAllExtensions getBlobData getCacheSize getExtension getPreloads getPreloadScripts getSharedDictionaryInfo
      getSharedDictionaryUsageInfo getSpellCheckerLanguages getStoragePath getUserAgent isPersistent isSpellCheckerEnabled
      listWordsInSpellCheckerDictionary loadExtension preconnect registerLocalAIHandler registerPreloadScript removeExtension
      removeWordFromSpellCheckerDictionary resolveHost resolveProxy setBluetoothPairingHandler setCertificateVerifyProc setCodeCachePath
      setDevicePermissionHandler setDisplayMediaRequestHandler setDownloadPath setPermissionCheckHandler setPermissionRequestHandler setPreloads
      setProxy setSpellCheckerDictionaryDownloadURL setSpellCheckerEnabled setSpellCheckerLanguages setSSLConfig setUSBProtectedClassesHandler
      setUserAgent unregisterPreloadScript availableSpellCheckerLanguages cookies extensions netLog protocol serviceWorkers spellCheckerEnabled
      storagePath webRequest
    `,
    events: `
      extension-loaded extension-ready extension-unloaded file-system-access-restricted hid-device-added hid-device-removed hid-device-revoked
      preconnect select-hid-device select-serial-port select-usb-device select-webauthn-account select-webauthn-authenticator serial-port-added
      serial-port-removed serial-port-revoked spellcheck-dictionary-download-begin spellcheck-dictionary-download-failure
      spellcheck-dictionary-download-success spellcheck-dictionary-initialized usb-device-added usb-device-removed usb-device-revoked
      will-download
    `
  },
  Shell: {
    parent: null,
    members: `
      beep openExternal openPath readShortcutLink showItemInFolder trashItem writeShortcutLink
    `,
    events: `
    `
  },
  SystemPreferences: {
    parent: null,
    members: `
      askForMediaAccess canPromptTouchID getAccentColor getAnimationSettings getColor getEffectiveAppearance getMediaAccessStatus getSystemColor
      getUserDefault isSwipeTrackingFromScrollEventsEnabled isTrustedAccessibilityClient postLocalNotification postNotification
      postWorkspaceNotification promptTouchID registerDefaults removeUserDefault setUserDefault subscribeLocalNotification subscribeNotification
      subscribeWorkspaceNotification unsubscribeLocalNotification unsubscribeNotification unsubscribeWorkspaceNotification
      accessibilityDisplayShouldReduceTransparency effectiveAppearance
    `,
    events: `
      accent-color-changed color-changed
    `
  },
  Tray: {
    parent: null,
    members: `
      closeContextMenu destroy displayBalloon focus getBounds getGUID getIgnoreDoubleClickEvents getTitle isDestroyed popUpContextMenu
      removeBalloon setContextMenu setIgnoreDoubleClickEvents setImage setPressedImage setTitle setToolTip
    `,
    events: `
      balloon-click balloon-closed balloon-show click double-click drag-end drag-enter drag-leave drop drop-files drop-text middle-click
      mouse-down mouse-enter mouse-leave mouse-move mouse-up right-click
    `
  },
  UtilityProcess: {
    parent: null,
    members: `
      fork kill postMessage pid stderr stdout
    `,
    events: `
      error exit login message spawn
    `
  },
  WebContents: {
    parent: null,
    members: `
      fromDevToolsTargetId fromFrame fromId getAllWebContents getFocusedWebContents addWorkSpace adjustSelection beginFrameSubscription canGoBack
      canGoForward canGoToOffset capturePage centerSelection clearHistory clone close closeDevTools copy copyImageAt copyVideoFrameAt cut delete
      disableDeviceEmulation downloadURL enableDeviceEmulation endFrameSubscription executeJavaScript executeJavaScriptInIsolatedWorld findInPage
      focus forcefullyCrashRenderer getAllSharedWorkers getBackgroundThrottling getDevToolsTitle getFrameRate getMediaSourceId
      getOrCreateDevToolsTargetId getOSProcessId getPrintersAsync getProcessId getTitle getType getURL getUserAgent getWebRTCIPHandlingPolicy
      getWebRTCUDPPortRange getZoomFactor getZoomLevel getZoomMode goBack goForward goToIndex goToOffset insertCSS insertText inspectElement
      inspectServiceWorker inspectSharedWorker inspectSharedWorkerById invalidate isAudioMuted isBeingCaptured isCaretBrowsingEnabled isCrashed
      isCurrentlyAudible isDestroyed isDevToolsFocused isDevToolsOpened isFocused isLoading isLoadingMainFrame isOffscreen isPainting
      isWaitingForResponse loadFile loadURL openDevTools paste pasteAndMatchStyle postMessage print printToPDF redo reload reloadIgnoringCache
      removeInsertedCSS removeWorkSpace replace replaceMisspelling savePage saveVideoFrameAs scrollToBottom scrollToTop selectAll send
      sendInputEvent sendToFrame setAudioMuted setBackgroundThrottling setCaretBrowsingEnabled setDevToolsTitle setDevToolsWebContents
      setFrameRate setIgnoreMenuShortcuts setImageAnimationPolicy setUserAgent setVisualZoomLevelLimits setWebRTCIPHandlingPolicy
      setWebRTCUDPPortRange setWindowOpenHandler setZoomFactor setZoomLevel setZoomMode showDefinitionForSelection startDrag startPainting stop
      stopFindInPage stopPainting takeHeapSnapshot toggleDevTools undo unselect audioMuted backgroundThrottling caretBrowsingEnabled debugger
      devToolsWebContents focusedFrame frameRate hostWebContents id ipc mainFrame navigationHistory opener session userAgent zoomFactor zoomLevel
      zoomMode
    `,
    events: `
      audio-state-changed before-input-event before-mouse-event blur certificate-error console-message content-bounds-updated context-menu
      cursor-changed destroyed devtools-closed devtools-focused devtools-open-url devtools-opened devtools-reload-page devtools-search-query
      did-attach-webview did-change-theme-color did-create-window did-fail-load did-fail-provisional-load did-finish-load did-frame-finish-load
      did-frame-navigate did-navigate did-navigate-in-page did-redirect-navigation did-start-loading did-start-navigation did-stop-loading
      dom-ready enter-html-full-screen focus found-in-page frame-created input-event ipc-message ipc-message-sync leave-html-full-screen login
      media-paused media-started-playing page-favicon-updated page-title-updated paint preferred-size-changed preload-error render-process-gone
      responsive select-bluetooth-device select-client-certificate unresponsive update-target-url will-attach-webview will-frame-navigate
      will-navigate will-prevent-unload will-redirect zoom-changed
    `
  },
  WebFrameMain: {
    parent: null,
    members: `
      fromFrameToken fromId collectJavaScriptCallStack copyVideoFrameAt executeJavaScript isDestroyed postMessage printToPDF reload
      saveVideoFrameAs send detached frames framesInSubtree frameToken frameTreeNodeId ipc name origin osProcessId parent processId routingId top
      url visibilityState
    `,
    events: `
      dom-ready
    `
  },
  WebRequest: {
    parent: null,
    members: `
      onBeforeRedirect onBeforeRequest onBeforeSendHeaders onCompleted onErrorOccurred onHeadersReceived onResponseStarted onSendHeaders
    `,
    events: `
    `
  }
} as const
