# The Debian packages: tools/package.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The robust messenger <robust-messenger@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Robust messenger over MQTT")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL library development documentation node client)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/nodelink)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(same_version "(= ${PROJECT_VERSION})")

# package(COMPONENT NAME SECTION DEPENDS SUMMARY): and the licence and the changelog, where Debian has them.
function(package component name section depends summary)
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${depends}" PARENT_SCOPE)
  set(CPACK_COMPONENT_${upper}_DESCRIPTION "${summary}" PARENT_SCOPE)
  set(doc ${CMAKE_INSTALL_DATADIR}/doc/${name})
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${doc} RENAME copyright COMPONENT ${component})
  install(FILES ${PROJECT_SOURCE_DIR}/CHANGELOG.md DESTINATION ${doc} COMPONENT ${component})
endfunction()

package(library libnodelink${nodelink_abi} libs "" "Erlang's nodes, links and exit signals over MQTT: libraries")
package(development libnodelink-dev libdevel "libnodelink${nodelink_abi} ${same_version}, libstdc++-dev"
  "Erlang's nodes, links and exit signals over MQTT: headers")
package(documentation libnodelink-doc doc "" "Erlang's nodes, links and exit signals over MQTT: documentation")
set(CPACK_DEBIAN_DOCUMENTATION_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS libnodelink-doc)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/build/site/ DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libnodelink-doc/html
  COMPONENT documentation OPTIONAL)
package(node messenger-node net "" "Robust messenger over MQTT: the server")
package(client messenger-client net "" "Robust messenger over MQTT: the client")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_NODE_PACKAGE_RECOMMENDS mosquitto)
install(FILES topics.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libnodelink-dev COMPONENT development)
install(DIRECTORY examples/fleet DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libnodelink-dev/examples
  COMPONENT development)
install(FILES README.md topics.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/messenger-node COMPONENT node)
install(FILES client/README.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/messenger-client COMPONENT client)

# The service, manual pages, completion.
configure_file(${PROJECT_SOURCE_DIR}/operate/messenger-node.service.in messenger-node.service @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/messenger-node.service DESTINATION lib/systemd/system COMPONENT node)
install(FILES operate/messenger-node.sysusers DESTINATION lib/sysusers.d RENAME messenger-node.conf COMPONENT node)
install(FILES operate/README.md operate/alerts.yml operate/dashboard.json operate/prometheus.yml
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/messenger-node/operate COMPONENT node)
set(CPACK_DEBIAN_NODE_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/operate/debian/postinst
  ${PROJECT_SOURCE_DIR}/operate/debian/prerm ${PROJECT_SOURCE_DIR}/operate/debian/postrm)
find_program(SCDOC scdoc)
foreach(component node client)
  set(program messenger-${component})
  install(FILES operate/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
    RENAME ${program} COMPONENT ${component})
  if(SCDOC)
    execute_process(COMMAND ${SCDOC} INPUT_FILE ${PROJECT_SOURCE_DIR}/docs/man/${program}.1.scd
      OUTPUT_FILE ${PROJECT_BINARY_DIR}/${program}.1 COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND gzip -9nf ${PROJECT_BINARY_DIR}/${program}.1 COMMAND_ERROR_IS_FATAL ANY)
    install(FILES ${PROJECT_BINARY_DIR}/${program}.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
      COMPONENT ${component})
  endif()
endforeach()
include(CPack)
