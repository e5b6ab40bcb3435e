from flask import Blueprint

escalations = Blueprint("escalations", __name__)
