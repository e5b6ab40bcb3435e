from flask import Blueprint

calls = Blueprint("calls", __name__)
